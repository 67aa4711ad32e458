"""Pure: what the world hears of launches that are marked."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from schemas.events import ProfileEvent
from schemas.topics import Outgoing
from workers.launcher import events
from workers.launcher.deliver.endings import Endings, PutOff
from workers.launcher.deliver.profiles import merged
from workers.launcher.deliver.work import Work
from workers.launcher.events import Imported, Told
from workers.launcher.model import Campaign, Due, Ending, Outcome

# Of events that are marked at a time; one launch's are less than a tenth of it.
_MOST_BYTES = 1024 * 1024


class Settled(NamedTuple):
    """Launches of a group that are over, by their position; `due` says who they were."""

    work: Work
    campaign: Campaign
    due: Mapping[int, Due]
    endings: Endings


def parts(
    outgoing: Callable[[ProfileEvent], Outgoing], settled: Settled, date: str
) -> Iterator[tuple[dict[int, Outcome | PutOff], list[Outgoing]]]:
    """As many at a time as fit into an outbox; `date` is when they are over."""
    part: dict[int, Outcome | PutOff] = {}
    told: list[Outgoing] = []
    size = 0
    for position, ending in settled.endings.items():
        part[position] = ending
        records = [outgoing(event) for event in _events(settled, settled.due[position], ending, date)]
        told += records
        size += sum(len(record.value) for record in records)
        if size >= _MOST_BYTES:
            yield part, told
            part, told, size = {}, [], 0
    if part:
        yield part, told


def _events(settled: Settled, due: Due, ending: Outcome | PutOff, date: str) -> Iterator[ProfileEvent]:
    group, campaign = settled.work.group, settled.campaign
    custom_data = merged(campaign.custom_data, due.own)
    imported = Imported(campaign.account, campaign.database, group.batch, group.items[due.position], due.whom, due.email, custom_data)
    launch = Told(due.id, group.run)
    # A launch whose message cannot be read never fired; its import is told when that is replayed.
    if group.doomed is None and group.nth() == 0 and _is_attempt(ending):
        yield events.of_firing(imported, campaign, launch, date)
    if isinstance(ending, Outcome):
        yield events.of_ending(imported, campaign, launch, ending, date)


def _is_attempt(ending: Outcome | PutOff) -> bool:
    """Each is told once: of what does not count the one that counts is."""
    return ending.counts if isinstance(ending, PutOff) else ending.ending is not Ending.CANCEL
