"""Which events are the next batch, and where a hook goes on."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.hooks.choosing import batch_of, begin_of, event_of, next_batch, placed, webhook_id, within
from workers.hooks.model import Bounds, Event, Hook, Place, Stretch

HOOK = Hook(1, 1, "crm", "http://any.test", ("any",), None, 3, 10, "", datetime(2025, 1, 1, tzinfo=UTC), 0)


def events(*types: str) -> list[Event]:
    return [Event(offset, 1, kind, b'{"of":"%s"}' % kind.encode()) for offset, kind in enumerate(types, 10)]


@pytest.mark.promise("P-HOOK-01")
def test_a_batch_is_the_first_events_that_the_hook_wants() -> None:
    batch = next_batch(replace(HOOK, events=frozenset({"b"})), Stretch(events("a", "b", "a", "b", "b", "b"), 16), 1_000)

    assert batch is not None
    assert (batch.bounds, batch.count, json.loads(batch.body)) == (Bounds(11, 14, frozenset({"b"})), 3, [{"of": "b"}] * 3)


@pytest.mark.promise("P-HOOK-01")
def test_nothing_that_is_wanted_is_no_batch() -> None:
    assert next_batch(replace(HOOK, events=frozenset({"c"})), Stretch(events("a", "b"), 12), 1_000) is None


@pytest.mark.promise("P-HOOK-05")
@pytest.mark.parametrize(("largest", "count"), [(1, 1), (12, 1), (22, 1), (23, 2), (33, 2), (34, 3), (1_000, 3)])
def test_a_body_has_as_many_as_fit_and_one_at_least(largest: int, count: int) -> None:
    batch = next_batch(HOOK, Stretch(events("a", "b", "c", "d"), 14), largest)

    assert batch is not None
    assert batch.count == count
    assert len(batch.body) <= largest or count == 1


@pytest.mark.promise("P-HOOK-06")
@given(st.lists(st.sampled_from("abc"), min_size=1), st.sets(st.sampled_from("abc"), min_size=1) | st.none(), st.integers(1, 5))
def test_what_was_noted_is_chosen_again_out_of_more_by_whoever_comes(kinds: list[str], wanted: set[str] | None, most: int) -> None:
    hook = replace(HOOK, events=None if wanted is None else frozenset(wanted), batch=most)
    told = events(*kinds)
    batch = next_batch(hook, Stretch(told, 10 + len(told)), 1_000)

    assert batch is None or batch_of(batch.bounds, within(batch.bounds, [*events(*kinds, "a", "b", "c")])) == batch


@pytest.mark.promise("P-HOOK-02")
def test_an_id_is_that_of_hook_partition_first_and_last() -> None:
    ids = [webhook_id(*place, Bounds(*bounds, None)) for place in ((1, 2), (1, 3), (2, 2)) for bounds in ((3, 4), (3, 5), (2, 4))]

    assert len(set(ids)) == 9
    assert webhook_id(1, 2, Bounds(3, 4, frozenset("a"))) == ids[0]
    assert len(ids[0]) == 32


@pytest.mark.promise("P-HOOK-11")
@pytest.mark.parametrize(("position", "bounds", "lost", "goes_on", "kept"), [
    (50, None, 0, 50, None),
    (50, Bounds(50, 60, None), 0, 50, Bounds(50, 60, None)),
    (5, None, 15, 20, None),
    (15, Bounds(15, 25, None), 5, 20, None),
    (20, Bounds(20, 20, None), 0, 20, Bounds(20, 20, None)),
    (100, None, 0, 100, None),
    (101, None, 0, 20, None),
    (90, Bounds(90, 100, None), 0, 90, None),
], ids=["in it", "with a batch", "before it", "half before", "at its start", "at its end", "beyond", "a batch beyond"])  # fmt: skip
def test_a_place_is_where_there_are_records(position: int, bounds: Bounds | None, lost: int, goes_on: int, kept: Bounds | None) -> None:
    place = Place(1, 0, 0, position, bounds)

    assert placed(place, 20, 100) == lost
    assert (place.position, place.bounds) == (goes_on, kept)


def test_an_end_is_read_from_the_first_hook_that_is_near_it() -> None:
    assert begin_of([5, 99_000, 99_500], 100_000) == 99_000
    assert begin_of([5], 100_000) == 100_000
    assert begin_of([], 100_000) == 100_000


@pytest.mark.promise("P-HOOK-05")
@pytest.mark.parametrize(("value", "told"), [
    (b'{"v":9,"account_id":1,"event_type":"new","more":{}}', "new"),
    (b'{"account_id":1}', "unreadable"),
    (b'{"account_id":1,"event_type":"a"} {}', "unreadable"),
    (b'{"account_id":1,"event_type":"a","x":"\xff"}', "unreadable"),
    (None, "unreadable"),
    (b'{"account_id":1,"event_type":"a","x":"' + b"x" * 100 + b'"}', "too large"),
], ids=["of a newer version", "without a type", "two of them", "no UTF-8", "a tombstone", "large"])  # fmt: skip
def test_an_event_is_read_as_far_as_it_has_to_be(value: bytes | None, told: str) -> None:
    event = event_of(7, value, 100)

    assert (event.type if isinstance(event, Event) else event) == told
