"""Each request: every item has one result, the one that it was answered, and one launch of each campaign that it starts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from profuse.torture.account import CALLED, CHANGED, IMPORTED, WELCOME
from profuse.torture.model import Item, Request
from profuse.torture.verdict.seen import Batch, Difference, Entry, Observed, difference

AMBIGUOUS = {"error": 409, "error_text": "More than one profile matches"}
TAKEN = {"error": 409, "error_text": "Email belongs to another profile", "field": "email"}
MALFORMED = {"error": 400, "error_text": "Incorrect number", "field": "version"}
DEAD = {"error": 400, "error_text": "Cannot be processed"}


def compared(requests: Sequence[Request], observed: Observed) -> Iterator[Difference]:
    yield Difference("doubled", observed.strays, "batches that no Request-ID stands for")
    yield difference("wrong", observed.dead_letters, "dead letters that are left")
    for request in requests:
        batch = observed.batches.get(request.id)
        if batch is not None:
            yield from _results(request, batch)
            yield from _launches(request, batch, observed)
        elif request.is_acknowledged:
            yield Difference("lost", len(request.items), "acknowledged items without a batch", (request.id,))


def _results(request: Request, batch: Batch) -> Iterator[Difference]:
    ended = Counter(place for place, _ in [*batch.results, *batch.errors])
    errors = dict(batch.errors)
    missing = range(len(request.items)) if request.is_acknowledged else ()
    yield difference("lost", _named(request, [place for place in missing if place not in ended]), "acknowledged items without a result")
    yield difference("doubled", _named(request, [place for place, count in ended.items() if count > 1]), "items with two results")
    strange = [(place, entry) for place, entry in errors.items() if not _may_fail(request.items[place], entry)]
    yield difference("wrong", _named(request, strange), "items that failed")
    passed = [place for place, _ in batch.results if request.items[place].is_wrong]
    yield difference("wrong", _named(request, passed), "items that are wrong, and passed")
    yield difference(
        "wrong", _named(request, _answered_otherwise(request, dict(batch.results), errors)), "items that were answered otherwise"
    )


def _named(request: Request, found: Iterable[object]) -> list[str]:
    return [f"{request.id}[{each}]" for each in found]


def _may_fail(item: Item, entry: Entry) -> bool:
    if item.is_wrong:
        return entry == MALFORMED
    # Whether there were two is seen at the profiles.
    return entry == AMBIGUOUS or (entry == TAKEN and "email" in item.data())


def _answered_otherwise(request: Request, profiles: dict[int, bytes], errors: dict[int, Entry]) -> Iterator[tuple[int, object, object]]:
    for place, entry in enumerate(request.entries or ()):
        stored = {"profile_id": profiles[place].hex()} if place in profiles else errors.get(place)
        # A dead letter was answered as one, until it was replayed.
        if entry != stored and not (request.items[place].is_refused and entry == DEAD):
            yield place, entry, stored


def _launches(request: Request, batch: Batch, observed: Observed) -> Iterator[Difference]:
    imported = {place for place, _ in batch.results}
    started = {number: batch.launches.get(observed.campaigns[number], Counter[int]()) for number in (WELCOME, CALLED, IMPORTED, CHANGED)}
    twice = [(place, number) for number, places in started.items() for place, count in places.items() if count > 1]
    yield difference("doubled", _named(request, twice), "items with two launches of a campaign")
    named = CALLED if request.by_webhook else WELCOME
    asked = {number: imported if number == named else set() for number in (WELCOME, CALLED)}
    for number, places in {**asked, IMPORTED: set() if request.skip_triggers else imported}.items():
        yield difference("lost", _named(request, places - started[number].keys()), f"items without a launch of campaign {number}")
        yield difference("wrong", _named(request, started[number].keys() - places), f"launches of campaign {number} that nothing started")
    changes = set() if request.skip_triggers else imported
    yield difference("wrong", _named(request, started[CHANGED].keys() - changes), f"launches of campaign {CHANGED} that nothing started")
    yield Difference("wrong", batch.unfinished, "groups left behind", (request.id,))
