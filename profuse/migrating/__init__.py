"""Makes what the rooms need to exist, exist: tables, topics and the first positions."""

from profuse.migrating import tables
from schemas.settings import Settings

__all__ = ["migrate", "migrate_tables"]


async def migrate_tables(settings: Settings) -> list[str]:
    """The tables alone; returns what changed."""
    async with tables.alone(settings) as connection:
        return await tables.upgrade(connection)
