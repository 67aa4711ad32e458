"""What the API answers: one envelope for success and for failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

SUCCESS = "Successful operation"
STILL_PROCESSING = "Accepted, still processing"
TO_BE_REPEATED = (429, 503)


@dataclass(frozen=True)
class Answer:
    """An HTTP status, the envelope's fields, and headers."""

    status: int
    fields: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        # In the order of the documented answers, which is the alphabet's.
        return msgspec.json.encode(dict(sorted(self.fields.items())))

    def repeated(self, request_id: str) -> "Answer":
        """To a request that was answered before."""
        return replace(self, headers={"Duplicate-Request": "true", "Duplicate-Key": request_id})

    def always_200(self) -> "Answer":
        """For clients that read the body first: `error` alone tells, but for what is to be repeated."""
        return self if self.status in TO_BE_REPEATED else replace(self, status=200)


def success(**fields: Any) -> Answer:
    return Answer(200, {"error": 0, "error_text": SUCCESS, **fields})


def still_processing(task_id: str) -> Answer:
    return Answer(202, {"error": 0, "error_text": STILL_PROCESSING, "data": {"task_id": task_id}})
