"""Pure: what an answer means: it is one, the request is to be sent again, or it is refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from profuse_client.errors import Refused
from profuse_client.exchanges import Outcome

# What proxies answer when a server behind them is away or slow; whatever begins with 5 is another one's trouble too.
_PASSING = (408, 425, 429)
_CONFLICT, _TOO_MANY = 409, 429


@dataclass(frozen=True)
class Answered:
    """The request was processed, or accepted; `repeated`: by an earlier try."""

    fields: Mapping[str, Any]
    repeated: bool


@dataclass(frozen=True)
class Again:
    """The same may be answered later: after so many seconds, if the server named any; `crowded`: it has too much to do.

    `in_doubt`: nobody said whether it was accepted.
    """

    why: str
    after: float | None = None
    crowded: bool = False
    in_doubt: bool = False


def meaning(outcome: Outcome) -> Answered | Again:
    """Raises `Refused`."""
    if outcome.status is None:
        return Again(outcome.why, in_doubt=True)
    fields, after = _envelope(outcome.body), _seconds(outcome.headers.get("retry-after"))
    # A token may be set to answer 200 always: then the body alone tells.
    error = outcome.status if fields is None else int(fields["error"])
    if fields is not None and error == 0:
        return Answered(fields, outcome.headers.get("duplicate-request") == "true")
    text, debug = _words(outcome, fields)
    if error in _PASSING or error >= 500 or (error == _CONFLICT and after is not None):
        why = f"{error} {text}" + (f": {debug}" if debug else "")
        return Again(why, after, crowded=error == _TOO_MANY, in_doubt=error not in (_CONFLICT, _TOO_MANY))
    raise Refused(error, text, debug)


def _envelope(body: bytes) -> dict[str, Any] | None:
    """None for what no gateway wrote."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and type(fields.get("error")) is int else None


def _words(outcome: Outcome, fields: dict[str, Any] | None) -> tuple[str, str | None]:
    if fields is None:
        return "not an answer of Profuse", outcome.body[:200].decode(errors="replace") or None
    return str(fields.get("error_text", "")), fields.get("error_debug")


def _seconds(given: str | None) -> float | None:
    """Of `Retry-After`; a date, which proxies may write, says nothing without their clock."""
    return float(given) if given is not None and given.strip().isdecimal() else None
