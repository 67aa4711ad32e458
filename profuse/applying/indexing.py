"""Makes the fields searchable that databases declare to be."""

from collections.abc import Callable, Collection

from profuse.applying.refiling import refile
from profuse.postgres import transaction
from schemas.settings import Settings
from store.configuration import refilings
from store.configuration.model import Key
from store.configuration.refilings import Refiling

Tell = Callable[[str], None]


async def index(settings: Settings, databases: Collection[Key], tell: Tell, progress: Tell, *, reindexing: bool) -> None:
    """File the profiles of databases that wait for it; where there are any, only if that is wanted."""
    async with transaction(settings) as connection:
        pending = await refilings.pending(connection)
    for each in pending:
        if each.key not in databases:
            continue
        if each.is_populated and not reindexing:
            tell(f"{each.key}: still being indexed: {each.fields}; `profuse apply --reindex` goes on with it")
        else:
            await finish(settings, each, tell, progress)


async def finish(settings: Settings, pending: Refiling, tell: Tell, progress: Tell) -> None:
    """File what is left."""

    by = f" by {pending.fields}" if pending.fields else ""

    def count(filed: int) -> None:
        progress(f"{pending.key}: {filed:,} profiles are filed{by}")

    filed = await refile(settings, pending.database, count)
    if pending.is_populated:
        tell(f"{pending.key}: {filed:,} profiles were filed{by}")
