"""Pure: what was observed beside what must be true."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from profuse.torture.model import Expected, Request
from schemas import ids

Kind = Literal["lost", "doubled", "wrong"]


@dataclass(frozen=True)
class Difference:
    """So many things that are not as they must be."""

    kind: Kind
    count: int
    what: str


@dataclass
class Batch:
    """What the database holds of one request."""

    id: bytes
    # Internal, as launches are named by it.
    trigger: int
    # Of `results`: each item with its profile; a list, because an item might be there twice.
    results: list[tuple[int, bytes]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    # Of `launches`.
    launches: list[int] = field(default_factory=list)
    launched: int = 0
    skipped: int = 0
    unfinished: int = 0


@dataclass(frozen=True)
class Observed:
    """The world after the torture."""

    batches: Mapping[str, Batch]
    # Batches that belong to no Request-ID.
    strays: int
    profiles: Mapping[bytes, Mapping[str, Any]]
    dead_letters: Sequence[str]
    # How often each launch's mail arrived: at least once is promised, by one id.
    mails: Counter[str]
    # Ids.
    events: frozenset[bytes]
    log_lines: Sequence[str]


def differences(requests: Sequence[Request], observed: Observed) -> list[Difference]:
    found = [*_of_world(observed), *_of_profiles(requests, observed), *_of_outside(requests, observed)]
    for request in requests:
        found += _of_request(request, observed)
    return [difference for difference in found if difference.count]


def _of_world(observed: Observed) -> Iterator[Difference]:
    yield Difference("doubled", observed.strays, "batches that no Request-ID stands for")
    yield Difference("wrong", len(observed.dead_letters), f"dead letters: {sorted(set(observed.dead_letters))[:3]}")
    yield Difference("wrong", len(observed.log_lines), f"log lines with a traceback, address, phone or token: {observed.log_lines[:3]}")


def _of_request(request: Request, observed: Observed) -> Iterator[Difference]:
    batch = observed.batches.get(request.id)
    if batch is None:
        yield Difference("lost", len(request.items) * request.acknowledged, f"{request.id} was acknowledged, and there is no batch of it")
        return
    name = f"of {request.id} (batch {batch.id.hex()})"
    answered, launched = Counter(item for item, _ in batch.results), Counter(batch.launches)
    if request.acknowledged:
        yield Difference("lost", len(request.items) - len(answered), f"items {name} without a result")
    yield Difference("doubled", answered.total() - len(answered), f"items {name} with two results")
    yield Difference("lost", len(answered.keys() - launched.keys()), f"items {name} without a launch")
    yield Difference("wrong", len(launched.keys() - answered.keys()), f"launches {name} without a result")
    yield Difference("doubled", launched.total() - len(launched), f"items {name} with two launches")
    yield Difference("wrong", batch.unfinished, f"groups {name} left behind")
    yield Difference("wrong", len(batch.errors), f"items {name} failed: {batch.errors[:3]}")
    mailed = sum(request.items[item].is_mailed for item in answered)
    ended = (batch.launched, batch.skipped)
    yield Difference("wrong", ended != (mailed, len(answered) - mailed), f"launches {name} ended as {ended}, {mailed} have a subscription")
    yield Difference("wrong", _strange_ids(request, batch, observed), f"ids {name} that are not of the items' profiles")


def _strange_ids(request: Request, batch: Batch, observed: Observed) -> int:
    """Answered or stored ids of profiles that are not there, or are somebody else's."""
    answered = [*batch.results, *((item, bytes.fromhex(profile)) for item, profile in enumerate(request.profiles or ()))]
    return sum(observed.profiles.get(profile, {}).get("email") != request.items[item].email for item, profile in answered)


def _of_profiles(requests: Sequence[Request], observed: Observed) -> Iterator[Difference]:
    expected = Expected(requests)
    by_email: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for data in observed.profiles.values():
        by_email[data["email"]].append(data)
    yield Difference("lost", len(expected.certain.keys() - by_email.keys()), "profiles that are not there")
    yield Difference("doubled", sum(len(found) - 1 for found in by_email.values()), "profiles that are there twice")
    wrong = [email for email, found in by_email.items() if not all(expected.is_right(email, data) for data in found)]
    yield Difference("wrong", len(wrong), f"profiles hold other values: {wrong[:3]}")


def _of_outside(requests: Sequence[Request], observed: Observed) -> Iterator[Difference]:
    """Mails and events: each at least once, and none that nothing stands for."""
    mails, events = set[str](), set[bytes]()
    for request in requests:
        if batch := observed.batches.get(request.id):
            for item, _ in batch.results:
                launch = ids.launch_id(batch.id, item, batch.trigger)
                mailed = request.items[item].is_mailed
                mails |= {launch} if mailed else set()
                events.update(_events(batch.id, item, launch, "send" if mailed else "skip"))
    yield Difference("lost", len(mails - observed.mails.keys()), "mails that did not arrive")
    yield Difference("doubled", len(observed.mails.keys() - mails), "mails that nothing stands for")
    yield Difference("lost", len(events - observed.events), "events that were not told")
    yield Difference("doubled", len(observed.events - events), "events that nothing stands for")


def _events(batch: bytes, item: int, launch: str, ending: str) -> Iterable[bytes]:
    told = ((f"{batch.hex()}/{item}", "import_api"), (launch, "launch"), (launch, ending))
    return (bytes.fromhex(ids.event_id(*each)) for each in told)
