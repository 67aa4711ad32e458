"""Pure: what the world hears of launches that are marked."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

from schemas.events import ProfileEvent
from schemas.topics import Outgoing
from workers.launcher import events
from workers.launcher.deliver.gates import PutOff
from workers.launcher.deliver.profiles import merged
from workers.launcher.deliver.work import Work
from workers.launcher.events import Imported, Told
from workers.launcher.model import Campaign, Ending, Outcome

# Of events that are marked at a time; one launch's are less than a tenth of it.
_MOST_BYTES = 1024 * 1024

Endings = Mapping[int, Outcome | PutOff]


def parts(
    outgoing: Callable[[ProfileEvent], Outgoing],
    work: Work,
    campaign: Campaign,
    endings: Endings,
    emails: Mapping[bytes, str | None],
    own: Mapping[int, str],
) -> Iterator[tuple[dict[int, Outcome | PutOff], list[Outgoing]]]:
    """As many at a time as fit into an outbox."""
    part: dict[int, Outcome | PutOff] = {}
    told: list[Outgoing] = []
    size = 0
    now, group = datetime.now(UTC), work.group
    for position, ending in endings.items():
        item, id_ = group.items[position], group.profiles[position]
        custom_data = merged(campaign.custom_data, own.get(position))
        imported = Imported(campaign.account, campaign.database, group.batch, item, id_, emails.get(id_), custom_data)
        part[position] = ending
        records = [outgoing(event) for event in _events(work, campaign, imported, position, ending, now)]
        told += records
        size += sum(len(record.value) for record in records)
        if size >= _MOST_BYTES:
            yield part, told
            part, told, size = {}, [], 0
    if part:
        yield part, told


def _events(
    work: Work, campaign: Campaign, imported: Imported, position: int, ending: Outcome | PutOff, now: datetime
) -> Iterator[ProfileEvent]:
    launch = Told(work.launch(position), work.group.run)
    if work.group.doomed is not None:
        # Its message could not be read, so its import was not told, either; and it never fired.
        yield events.of_import(imported, campaign.accepted_at)
    elif work.group.nth() == 0 and not (isinstance(ending, Outcome) and ending.ending is Ending.CANCEL):
        yield events.of_firing(imported, campaign, launch, now)
    if isinstance(ending, Outcome):
        yield events.of_ending(imported, campaign, launch, ending, now)
