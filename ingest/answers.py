"""What the API answers: one envelope for success and for failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

SUCCESS = "Successful operation"
STILL_PROCESSING = "Accepted, still processing"
_TO_BE_REPEATED = (429, 503)
REPEAT_AFTER = {"Retry-After": "1"}


@dataclass(frozen=True)
class Answer:
    """An HTTP status, the envelope's fields, and headers."""

    status: int
    fields: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        # In the order of the documented answers, which is the alphabet's.
        return msgspec.json.encode(dict(sorted(self.fields.items())))

    def always_200(self) -> "Answer":
        """For clients that read the body first: `error` alone tells, but for what is to be repeated."""
        return self if self.status in _TO_BE_REPEATED else replace(self, status=200)


def success(**fields: Any) -> Answer:
    return Answer(200, {"error": 0, "error_text": SUCCESS, **fields})


def still_processing(task_id: str) -> Answer:
    return Answer(202, {"error": 0, "error_text": STILL_PROCESSING, "data": {"task_id": task_id}})


class Refused(Exception):
    """The whole request fails; the HTTP status is the error's number."""

    def __init__(self, error: int, error_text: str, debug: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error_text)
        self.error = error
        self.error_text = error_text
        self.debug = debug
        self.headers = headers or {}

    def answer(self) -> Answer:
        fields: dict[str, Any] = {"error": self.error, "error_text": self.error_text}
        if self.debug is not None:
            fields["error_debug"] = self.debug
        return Answer(self.error, fields, self.headers)


def invalid(debug: str) -> Refused:
    return Refused(400, "Invalid request", debug)


def not_found(debug: str | None = None) -> Refused:
    return Refused(404, "Not found", debug)


def conflict(debug: str, headers: Mapping[str, str] | None = None) -> Refused:
    return Refused(409, "Conflict", debug, headers)


def unavailable(debug: str | None = None) -> Refused:
    return Refused(503, "Temporarily unavailable", debug, REPEAT_AFTER)
