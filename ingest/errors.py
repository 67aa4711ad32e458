"""Why a whole request fails: its number, its text, and what to look at."""

from collections.abc import Mapping
from typing import Any

from ingest.envelope import Answer

REPEAT_AFTER = {"Retry-After": "1"}


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


def not_found(debug: str) -> Refused:
    return Refused(404, "Not found", debug)


def conflict(debug: str, headers: Mapping[str, str] | None = None) -> Refused:
    return Refused(409, "Conflict", debug, headers)


def unavailable(debug: str | None = None) -> Refused:
    return Refused(503, "Temporarily unavailable", debug, REPEAT_AFTER)
