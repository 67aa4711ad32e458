"""The tables alone, for tests that need no broker."""

from profuse.migrating import file_anew, tables
from schemas.settings import Settings


async def migrate_tables(settings: Settings, *, refiling: bool = False) -> list[str]:
    """Returns what changed, a line each, as `migrate` does."""
    async with tables.alone(settings) as connection:
        changed = await tables.upgrade(connection)
    return [*changed, *await file_anew(settings, once_more=refiling)]
