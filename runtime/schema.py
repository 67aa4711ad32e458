"""Whether the tables are what this release was written for."""

import re
from pathlib import Path
from typing import Any

# Beside the package, in a checkout as in an installed wheel.
MIGRATIONS = Path(__file__).parents[1] / "migrations"
# Read when the process starts, not when it asks: a newer release may have been put in place of this one by then.
REVISIONS = frozenset(file.name[:4] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))
REVISION = max(REVISIONS)
"""The newest migration of this release."""


class OldTables(Exception):
    """A migration is missing."""


def is_later(revision: str) -> bool:
    """Whether only a later release can have made the tables so."""
    return re.fullmatch("[0-9]{4}", revision) is not None and revision > REVISION


async def check(connection: Any) -> None:
    """Asks a connection or a pool; raises `OldTables`, and what Postgres raises where there are none.

    Tables of a later release are welcome: whoever upgrades migrates first, and a process of this release may have to start once more.
    """
    found = await connection.fetchval("SELECT version_num FROM alembic_version")
    if found is None or found < REVISION:
        raise OldTables(f"the tables are of revision {found or 'none'}, and this release needs {REVISION}")
