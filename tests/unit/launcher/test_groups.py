"""Which groups a message starts, and which of their launches are left."""

import asyncpg
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import TriggerId
from schemas.messages import NewerVersion, ProfilesMatched, TriggerStart, Unreadable
from tests.launching import claimed, matched
from workers.launcher.groups.group import NewGroup, started_by
from workers.launcher.schedule.scheduling import slices

A, B = b"\x0a" * 12, b"\x0b" * 12
ONE, TWO = TriggerId(1), TriggerId(2)
P, Q = b"\x01" * 12, b"\x02" * 12


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


@pytest.mark.promise("P-OPS-09")
@pytest.mark.parametrize(
    "wrong",
    [
        {"items": [0, 0]},
        {"profiles": P.hex()},
        {"md5s": "0a" * 16},
        {"md5s": "0A" * 32},
        {"starts": [{"trigger": 1, "items": [2]}]},
    ],
)
def test_a_message_that_contradicts_itself_cannot_be_read(wrong: dict[str, object]) -> None:
    whole = {"v": 2, "batch": A.hex(), "chunk": 0, "items": [0, 1], "profiles": P.hex() * 2, "starts": [], "md5s": "0a" * 32}

    assert ProfilesMatched.decode(msgspec.json.encode(whole)).items == [0, 1]
    with pytest.raises(Unreadable):
        ProfilesMatched.decode(msgspec.json.encode(whole | wrong))


@pytest.mark.promise("P-OPS-10")
def test_messages_of_before_are_read_and_newer_ones_wait() -> None:
    before = {"v": 1, "batch": A.hex(), "chunk": 0, "items": [0], "profiles": P.hex(), "starts": []}

    assert ProfilesMatched.decode(msgspec.json.encode(before)).md5s is None
    with pytest.raises(NewerVersion):
        ProfilesMatched.decode(msgspec.json.encode(before | {"v": 3, "more": 1}))
