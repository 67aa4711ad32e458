"""Which groups a message starts, and which of their launches are left."""

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import TriggerId
from schemas.messages import TriggerStart
from tests.launching import matched
from workers.launcher.groups.group import Group, NewGroup, started_by
from workers.launcher.schedule.scheduling import slices

A, B = b"\x0a" * 12, b"\x0b" * 12
ONE, TWO = TriggerId(1), TriggerId(2)
P, Q = b"\x01" * 12, b"\x02" * 12


def claimed(size: int, done: asyncpg.BitString) -> Group:
    return Group(A, ONE, 0, 0, 1, 1, 0, list(range(size)), [P] * size, done, None, 1, 0, None, 0, 0, 0.0, None)


def test_a_message_starts_one_group_for_each_trigger() -> None:
    message = matched(A, {4: P, 9: Q}, [TriggerStart(trigger=TriggerId(2), items=[9]), TriggerStart(trigger=TriggerId(1))])

    assert started_by([message]) == [NewGroup(A, ONE, 4, 4, [4, 9], P + Q), NewGroup(A, TWO, 9, 4, [9], Q)]


def test_a_trigger_that_no_item_starts_makes_no_group() -> None:
    assert started_by([matched(A, {0: P}, [TriggerStart(trigger=TriggerId(1), items=[])])]) == []


def test_groups_come_in_one_order_whatever_the_order_of_messages() -> None:
    first, second = (matched(batch, {0: P}, [TriggerStart(trigger=TriggerId(1))]) for batch in (A, B))

    assert started_by([second, first]) == started_by([first, second])


@given(st.sets(st.integers(0, 40)), st.integers(41, 60))
def test_what_is_marked_is_not_left(settled: set[int], size: int) -> None:
    nothing = claimed(size, asyncpg.BitString.frombytes(bytes(-(-size // 8)), bitlength=size))

    group = claimed(size, nothing.bits(settled))

    assert set(group.undone()) == set(range(size)) - settled


def test_bits_are_counted_from_the_left_as_postgres_does() -> None:
    assert claimed(9, asyncpg.BitString("000000000")).bits([0, 8]).as_string().replace(" ", "") == "100000001"


def test_events_of_a_large_chunk_are_built_in_slices() -> None:
    message = matched(A, dict.fromkeys(range(2_000), P), [])

    assert [len(part) for part in slices([message] * 7)] == [2, 2, 2, 1]
