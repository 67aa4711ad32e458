"""Makes what the rooms need to exist, exist: tables, topics and the first positions."""

from profuse.migrating import positions, tables, topics
from schemas.settings import Settings
from schemas.topics import ALL

__all__ = ["migrate", "migrate_tables"]


async def migrate(settings: Settings) -> list[str]:
    """Returns what changed, a line each; raises `CannotRun`."""
    kept = [settings.topic(topic.name) for topic in ALL if topic.kept_until_processed]
    async with tables.alone(settings) as connection:
        changed = await tables.upgrade(connection)
        stored = await positions.counted(connection)
        made, partitions = await topics.create_missing(settings, stored)
        await positions.begin(connection, {name: partitions[name] for name in kept})
    return [*changed, *(f"topic {name}: created with {partitions[name]} partitions" for name in made)]


async def migrate_tables(settings: Settings) -> list[str]:
    """The tables alone, for whoever needs no broker."""
    async with tables.alone(settings) as connection:
        return await tables.upgrade(connection)
