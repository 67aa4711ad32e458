"""Whether the tables are what this release was written for."""

from typing import Any

from schemas.tables import REVISION


class OldTables(Exception):
    """A migration is missing."""


async def check(connection: Any) -> None:
    """Asks a connection or a pool; raises `OldTables`, and what Postgres raises where there are none.

    Tables of a later release are welcome: whoever upgrades migrates first, and a process of this release may have to start once more.
    """
    found = await connection.fetchval("SELECT version_num FROM alembic_version")
    if found is None or found < REVISION:
        raise OldTables(f"the tables are of revision {found or 'none'}, and this release needs {REVISION}")
