"""The world after the torture, as it was observed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from profuse.torture.model import Item, Request
from schemas import ids
from schemas.ids import TriggerId

Kind = Literal["lost", "doubled", "wrong"]
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """So many things that are not as they must be, and some of them."""

    kind: Kind
    count: int
    what: str
    such_as: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.count:,} {self.what}" + (f": {', '.join(self.such_as)}" if self.such_as else "")


_NAMED = 3


def difference(kind: Kind, found: Iterable[object], what: str) -> Difference:
    listed = list(found)
    return Difference(kind, len(listed), what, tuple(str(each)[:300] for each in listed[:_NAMED]))


def together(found: Iterable[Difference]) -> list[Difference]:
    """One of each kind, with what all of them count; none that counts nothing."""
    alike: dict[tuple[Kind, str], list[Difference]] = defaultdict(list)
    for each in found:
        if each.count:
            alike[each.kind, each.what].append(each)
    return [
        Difference(kind, sum(each.count for each in those), what, tuple(name for each in those for name in each.such_as)[:_NAMED])
        for (kind, what), those in alike.items()
    ]


@dataclass
class Batch:
    """What the database holds of one request, or held of it when it was deleted."""

    id: bytes
    # Each item with its profile; lists, because an item might be there twice.
    results: list[tuple[int, bytes]] = field(default_factory=list)
    errors: list[tuple[int, Entry]] = field(default_factory=list)
    # Of each campaign, by its internal id: how often it was started for each item.
    launches: dict[TriggerId, Counter[int]] = field(default_factory=dict)
    # When they are due, in Unix seconds.
    due: dict[TriggerId, float] = field(default_factory=dict)
    # Groups that are not finished.
    unfinished: int = 0


@dataclass(frozen=True)
class Profile:
    """Its fields, and the addresses of its subscriptions."""

    data: Mapping[str, Any]
    addresses: frozenset[str] = frozenset()


class Mail(NamedTuple):
    """A mail as it arrived, at a moment in Unix seconds."""

    launch: str
    at: float
    to: str
    subject: str = ""
    text: str = ""
    files: Mapping[str, bytes] = {}


class Call(NamedTuple):
    """A POST to the provider, at a moment in Unix seconds."""

    launch: str
    at: float
    is_taken: bool
    # All of it but its own moment.
    content: Any
    # Why no receiver would take it.
    wrong: str = ""
    # Taken so soon that nobody can have given it up by then.
    in_time: bool = False


class Post(NamedTuple):
    """A POST to an account's hook; digests stand for its body and for each of its events."""

    account: int
    id: str
    body: bytes
    events: tuple[bytes, ...]
    wrong: str = ""


@dataclass(frozen=True)
class Told:
    """All events of the account: their ids, and what cannot be."""

    ids: frozenset[bytes]
    # Ids that were told twice, with other fields.
    contradictions: Sequence[str] = ()
    # Ids whose custom_data is not their item's.
    strange: Sequence[str] = ()
    # Of each account by partition, in the topic's order, what stands for each record.
    order: Mapping[int, Mapping[int, Sequence[bytes]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Observed:
    """What the account that is counted left behind."""

    batches: Mapping[str, Batch]
    # Batches that belong to no Request-ID.
    strays: int
    profiles: Mapping[bytes, Profile]
    # Reasons.
    dead_letters: Sequence[str]
    mails: Sequence[Mail]
    events: Told
    log_lines: Sequence[str]
    # The internal ids of the campaigns.
    campaigns: Mapping[int, TriggerId]

    def arrivals(self) -> Counter[str]:
        """How often each launch's mail arrived."""
        return Counter(mail.launch for mail in self.mails)


class Applied(NamedTuple):
    """An item that was imported, and where to."""

    item: Item
    request: Request
    # Its place in the request.
    place: int
    batch: Batch
    profile: bytes


def launches(each: Applied) -> Iterator[tuple[str, TriggerId]]:
    """Those of one item, and of which campaign each is."""
    for campaign, items in each.batch.launches.items():
        if each.place in items:
            yield ids.launch_id(each.batch.id, each.place, campaign), campaign


def applied(requests: Iterable[Request], observed: Observed) -> list[Applied]:
    return [
        Applied(request.items[place], request, place, batch, profile)
        for request in requests
        if (batch := observed.batches.get(request.id))
        for place, profile in batch.results
    ]
