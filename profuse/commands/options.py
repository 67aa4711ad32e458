"""Options that many commands take."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

Dir = Annotated[Path | None, typer.Option("--dir", help="The stack's directory; else PROFUSE_DIR, else .profuse.", show_default=False)]

_DAY, _SECOND = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"
_MOMENTS = [_DAY, _SECOND, f"{_SECOND}%z", f"{_SECOND}.%f", f"{_SECOND}.%f%z"]


def moment(meaning: str) -> Any:
    """An option whose value has its time zone."""
    return typer.Option(help=f"{meaning}, UTC unless it says otherwise.", formats=_MOMENTS, callback=_in_utc, show_default=False)


def _in_utc(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given and not given.tzinfo else given
