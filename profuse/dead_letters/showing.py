"""Pure: what an operator is shown of dead letters."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich.table import Column

from profuse.dead_letters.letters import Letter
from profuse.dead_letters.selection import shown_key
from schemas.lines import is_unbroken
from schemas.settings import Settings

_COLUMNS = ("id", "created_at", "batch", "item", "bytes", "fate", "reason")


def shown(settings: Settings, letter: Letter) -> dict[str, Any]:
    return {
        "id": shown_key(settings, letter.key),
        "reason": letter.reason,
        "batch": None if letter.batch is None else letter.batch.hex(),
        "item": letter.item,
        "bytes": letter.size,
        "created_at": letter.created_at.isoformat(timespec="milliseconds"),
        "replayed_at": None if letter.replayed_at is None else letter.replayed_at.isoformat(timespec="milliseconds"),
        "fate": letter.fate,
        "entry": letter.entry,
    }


def table(settings: Settings, letters: Iterable[Letter]) -> tuple[Sequence[Column | str], list[list[str]]]:
    """Columns and rows."""
    return (Column("id", no_wrap=True), *_COLUMNS[1:], "entry"), [_row(shown(settings, letter)) for letter in letters]


def content(value: bytes | None) -> str | dict[str, str] | None:
    """Text as it is, and anything else as hex."""
    if value is None:
        return None
    text = value.decode(errors="replace")
    return text if "\ufffd" not in text and is_unbroken(text) else {"hex": value.hex()}


def _row(told: dict[str, Any]) -> list[str]:
    entry = told["entry"] or {}
    ending = entry.get("error_text") or entry.get("profile_id") or ""
    return [*("" if told[name] is None else str(told[name]) for name in _COLUMNS), ending]
