"""Each request: every item has one result, the one that it was answered, and one launch of each campaign that it starts."""

from collections import Counter
from collections.abc import Iterator, Sequence

from profuse.torture.account import CHANGED, IMPORTED, WELCOME
from profuse.torture.model import Item, Request
from profuse.torture.verdict.seen import Batch, Difference, Entry, Observed, difference

AMBIGUOUS = {"error": 409, "error_text": "More than one profile matches"}
TAKEN = {"error": 409, "error_text": "Email belongs to another profile", "field": "email"}
MALFORMED = {"error": 400, "error_text": "Incorrect number", "field": "version"}
DEAD = {"error": 400, "error_text": "Cannot be processed"}


def compared(requests: Sequence[Request], observed: Observed) -> Iterator[Difference]:
    yield Difference("doubled", observed.strays, "batches that no Request-ID stands for")
    yield Difference("wrong", len(observed.dead_letters), f"dead letters that are left: {sorted(set(observed.dead_letters))[:3]}")
    for request in requests:
        batch = observed.batches.get(request.id)
        if batch is not None:
            yield from _results(request, batch)
            yield from _launches(request, batch, observed)
        elif request.is_acknowledged:
            yield Difference("lost", len(request.items), f"{request.id} was acknowledged, and there is no batch of it")


def _results(request: Request, batch: Batch) -> Iterator[Difference]:
    name = f"of {request.id} (batch {batch.id.hex()})"
    ended = Counter(place for place, _ in [*batch.results, *batch.errors])
    if request.is_acknowledged:
        yield Difference("lost", len(request.items) - len(ended), f"items {name} without a result")
    yield Difference("doubled", ended.total() - len(ended), f"items {name} with two results")
    errors = dict(batch.errors)
    strange = [(place, entry) for place, entry in errors.items() if not _may_fail(request.items[place], entry)]
    yield difference("wrong", strange, f"items {name} failed")
    passed = [place for place, _ in batch.results if request.items[place].is_wrong]
    yield difference("wrong", passed, f"items {name} are wrong, and passed")
    yield difference("wrong", _answered_otherwise(request, dict(batch.results), errors), f"items {name} were answered otherwise")


def _may_fail(item: Item, entry: Entry) -> bool:
    if item.is_wrong:
        return entry == MALFORMED
    # Whether there were two is seen at the profiles.
    return entry == AMBIGUOUS or (entry == TAKEN and "email" in item.data())


def _answered_otherwise(request: Request, profiles: dict[int, bytes], errors: dict[int, Entry]) -> Iterator[int]:
    for place, entry in enumerate(request.entries or ()):
        stored = {"profile_id": profiles[place].hex()} if place in profiles else errors.get(place)
        # A dead letter was answered as one, until it was replayed.
        if entry != stored and not (request.items[place].is_refused and entry == DEAD):
            yield place


def _launches(request: Request, batch: Batch, observed: Observed) -> Iterator[Difference]:
    name = f"of {request.id} (batch {batch.id.hex()})"
    imported = {place for place, _ in batch.results}
    started = {number: batch.launches.get(observed.campaigns[number], Counter[int]()) for number in (WELCOME, IMPORTED, CHANGED)}
    yield Difference("doubled", sum(each.total() - len(each) for each in started.values()), f"items {name} with two launches of a campaign")
    expected = {WELCOME: imported, IMPORTED: set() if request.skip_triggers else imported}
    for number, items in expected.items():
        yield difference("lost", items - started[number].keys(), f"items {name} without a launch of campaign {number}")
        yield difference("wrong", started[number].keys() - items, f"items {name} with a launch of campaign {number} that nothing started")
    yield difference("wrong", started[CHANGED].keys() - expected[IMPORTED], f"items {name} that changed nothing")
    yield Difference("wrong", batch.unfinished, f"groups {name} left behind")
