"""Why a whole request fails: the catalogue of `error` and `error_text`, and the exception that carries a row of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingest.envelope import Answer
from schemas.item_errors import Why

REPEAT_AFTER = {"Retry-After": "1"}


class Row(NamedTuple):
    """The `error_text`, what it means, and what `error_debug` may say."""

    text: str
    meaning: str
    debug: str | None = None


# By the HTTP status, which is the error's number; clients compare the text, so that none ever changes.
ERRORS: Mapping[int, Row] = {
    400: Row("Invalid request", "`error_debug` names the parameter and why.", "trigger_id: required"),
    401: Row("API token required", "It is absent, unknown, expired or revoked."),
    403: Row("No access", "The token lacks a right."),
    404: Row("Not found", "The token's account has none of it.", "trigger_id"),
    409: Row(
        "Conflict", "The trigger cannot be started, or the same `Request-ID` is being accepted.", "trigger_id: the trigger is inactive"
    ),
    415: Row("Unsupported content encoding", "A body is plain, or packed by gzip.", "Content-Encoding: only gzip"),
    422: Row("Request-ID reused", "With another path or body.", "Request-ID: it was used with another path or body"),
    429: Row("Too many requests", "Repeat after as many seconds as `Retry-After` says.", "token: its limit is 100000 profiles that wait"),
    503: Row("Temporarily unavailable", "Repeat with the same `Request-ID`, after as many seconds as `Retry-After` says."),
}


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


# Each refusal is an exception of its own: one that is raised twice keeps all it has passed through, bodies too.
def _refused(error: int, debug: str | None = None, headers: Mapping[str, str] | None = None) -> Refused:
    return Refused(error, ERRORS[error].text, debug, headers)


def invalid(debug: str) -> Refused:
    return _refused(400, debug)


def token_required() -> Refused:
    return _refused(401)


def no_access() -> Refused:
    return _refused(403)


def not_found(debug: str) -> Refused:
    return _refused(404, debug)


def method_not_allowed(headers: Mapping[str, str] | None = None) -> Refused:
    return Refused(405, "Method not allowed", headers=headers)


def conflict(debug: str) -> Refused:
    return _refused(409, debug)


def being_accepted() -> Refused:
    return _refused(409, "Request-ID: a request with this id is being accepted", REPEAT_AFTER)


def being_indexed() -> Refused:
    """As an item would be that is matched by the field."""
    return Refused(409, Why.FIELD_IS_BEING_INDEXED.text, "field_name: profiles that were there before are still being filed by it")


def unsupported_encoding() -> Refused:
    return _refused(415, ERRORS[415].debug)


def id_reused() -> Refused:
    return _refused(422, ERRORS[422].debug)


def too_many(debug: str | None, seconds: int) -> Refused:
    return _refused(429, debug, {"Retry-After": str(seconds)})


def head_too_large() -> Refused:
    return Refused(431, "Request header fields too large")


def unavailable(debug: str | None = None) -> Refused:
    return _refused(503, debug, REPEAT_AFTER)
