"""Options that many commands take."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

Dir = Annotated[Path | None, typer.Option("--dir", help="The stack's directory; else PROFUSE_DIR, else .profuse.", show_default=False)]

_DAY, _SECOND = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"
MOMENTS = [_DAY, _SECOND, f"{_SECOND}%z", f"{_SECOND}.%f", f"{_SECOND}.%f%z"]


def in_utc(moment: datetime) -> datetime:
    """The same, UTC unless it says otherwise."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
