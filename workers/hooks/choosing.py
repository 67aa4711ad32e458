"""Pure: which events are a hook's next batch, what it is called, and where hooks begin."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from schemas.topics import EVENTS
from workers.hooks.model import Batch, Bounds, Event, Hook, Place, Stretch

# So many records before the end of a partition a hook may stand, and its end is still read for it and all others at once.
_NEAR = 20_000
_TOO_LARGE = "too large"
_UNREADABLE = "unreadable"


class _Told(msgspec.Struct):
    """What has to be known of an event to pass it on; whatever else is in it, also of a newer version, is its reader's."""

    account_id: int
    event_type: str


_DECODER = msgspec.json.Decoder(_Told)


def event_of(offset: int, value: bytes | None, largest: int) -> Event | str:
    """The event, or why no hook is told of it."""
    # With its two brackets it has to fit into a body of its own.
    if len(value or b"") + 2 > largest:
        return _TOO_LARGE
    try:
        told = _DECODER.decode(value or b"")
        # The decoder does not look into texts that it passes over, and one event that is no JSON would spoil its whole batch.
        (value or b"").decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _UNREADABLE
    return Event(offset, told.account_id, told.event_type, value or b"")


def next_batch(hook: Hook, stretch: Stretch, largest: int) -> Batch | None:
    """The first events that it wants, as many as it takes at once and as fit into a body."""
    chosen: list[Event] = []
    size = 1
    for event in _wanted(stretch.events, hook.events):
        size += len(event.value) + 1
        if chosen and (size > largest or len(chosen) == hook.batch):
            break
        chosen.append(event)
    return batch_of(Bounds(chosen[0].offset, chosen[-1].offset, hook.events), chosen) if chosen else None


def within(bounds: Bounds, events: Iterable[Event]) -> list[Event]:
    """Those of a batch that was noted, whatever the hook wants by now."""
    return [event for event in _wanted(events, bounds.types) if bounds.first <= event.offset <= bounds.last]


def batch_of(bounds: Bounds, events: Sequence[Event]) -> Batch:
    return Batch(bounds, len(events), b"[%b]" % b",".join(event.value for event in events))


def webhook_id(hook: int, partition: int, bounds: Bounds) -> str:
    """The same batch has the same id in every repeat: 32 hex digits."""
    told = f"{EVENTS.name}/{hook}/{partition}/{bounds.first}/{bounds.last}"
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def placed(place: Place, start: int, end: int) -> int:
    """Put it where the partition still has records; how many it has lost."""
    lost = max(0, start - place.position)
    # Beyond the end there was another topic of this name.
    place.position = start if lost or place.position > end else place.position
    if place.bounds is not None and not start <= place.bounds.first <= place.bounds.last < end:
        place.bounds = None
    return lost


def begin_of(positions: Iterable[int], end: int) -> int:
    """Where the partition's end is read from: the first of those hooks that are near it."""
    return min((position for position in positions if position >= end - _NEAR), default=end)


def _wanted(events: Iterable[Event], types: frozenset[str] | None) -> Iterable[Event]:
    return events if types is None else (event for event in events if event.type in types)
