"""Numbers, moments, sizes and texts for a person. Pure, but for `ago`, which reads the clock where it is told no moment."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
# Of a value that somebody sent; the rest is there to download.
SHOWN = 64 * 1024
_ROW = 32


def number(value: float | None) -> str:
    """With the digits that matter; nothing known is a dash."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if isinstance(value, float) and 0 < value < 10 else f"{value:,.0f}"


def share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def moment(value: datetime | None) -> str:
    """UTC, to the second."""
    return "-" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(value: timedelta | float | None) -> str:
    """In its two largest units; below a second in milliseconds."""
    if value is None:
        return "-"
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if abs(seconds) < 1:
        return f"{seconds * 1000:.0f} ms"
    sign, left, parts = "-" if seconds < 0 else "", round(abs(seconds)), []
    for name, size in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {name}")
            left %= size
    return sign + " ".join(parts[:2])


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """From now, in words."""
    if value is None:
        return "-"
    away = value - (now or datetime.now(UTC))
    return f"in {duration(away)}" if away > timedelta(0) else f"{duration(-away)} ago"


def size(octets: int) -> str:
    for unit, scale in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if octets >= scale:
            return f"{octets / scale:.1f} {unit}"
    return f"{octets} B"


def short(text: object, most: int = 120) -> str:
    """Names that somebody made too long for a table."""
    written = str(text)
    return written if len(written) <= most else f"{written[: most - 1]}…"


class Decoded(NamedTuple):
    """What kind a value is of, how it is read, and whether that is all of it."""

    kind: str
    text: str
    is_whole: bool = True


def decoded(value: bytes | None) -> Decoded:
    """JSON in lines, other text as it is, and anything else as hex."""
    if value is None:
        return Decoded("nothing", "")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        lines = [value[at : at + _ROW].hex(" ") for at in range(0, min(len(value), SHOWN // 4), _ROW)]
        return Decoded("binary", "\n".join(lines), len(value) <= SHOWN // 4)
    try:
        # Not by values: a number keeps every digit that was sent.
        kind, text = "JSON", msgspec.json.format(value, indent=2).decode()
    except (msgspec.DecodeError, RecursionError):
        kind = "text"
    return Decoded(kind, text[:SHOWN], len(text) <= SHOWN)
