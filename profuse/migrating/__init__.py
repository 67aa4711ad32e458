"""Makes what the rooms need to exist, exist: tables, topics and the first positions; and stored data as it is spelled today."""

from collections.abc import Callable

from profuse.applying.indexing import finish
from profuse.migrating import positions, tables, topics
from profuse.postgres import transaction
from schemas.settings import Settings
from schemas.topics import ALL
from store.configuration import refilings

__all__ = ["file_anew", "migrate"]

Tell = Callable[[str], None]


def _silent(line: str) -> None:
    """For callers who show nobody anything."""


async def migrate(settings: Settings, *, refiling: bool = False, progress: Tell = _silent) -> list[str]:
    """Returns what changed, a line each; raises `CannotRun`.

    With `refiling` all that is stored is filed anew once more; `progress` tells how far that is.
    """
    kept = [settings.topic(topic.name) for topic in ALL if topic.kept_until_processed]
    async with tables.alone(settings) as connection:
        changed = await tables.upgrade(connection)
        stored = await positions.counted(connection)
        made, partitions = await topics.create_missing(settings, stored)
        await positions.begin(connection, {name: partitions[name] for name in kept})
    created = [f"topic {name}: created with {partitions[name]} partitions" for name in made]
    return [*changed, *created, *await file_anew(settings, progress, once_more=refiling)]


async def file_anew(settings: Settings, progress: Tell = _silent, *, once_more: bool) -> list[str]:
    """Finish what a migration or an `apply` has begun."""
    async with transaction(settings) as connection:
        if once_more:
            await refilings.begin_everywhere(connection)
        pending = await refilings.pending(connection)
    lines: list[str] = []
    for each in pending:
        await finish(settings, each, lines.append, progress)
    return lines
