"""Which lanes are asked for what is due."""

import pytest

from schemas.ids import TriggerId
from workers.launcher.claim.turns import MOST_WAITING, Lane, Turns

pytestmark = pytest.mark.promise("P-LAUNCH-31")

ONE, TWO, THREE = (Lane(account, TriggerId(account)) for account in (1, 2, 3))
# Of the first account, too.
OTHER = Lane(1, TriggerId(9))


def test_no_account_holds_more_than_half_of_the_slots() -> None:
    turns = Turns(8)
    turns.heard([ONE], 0.0)
    for _ in range(3):
        turns.took(ONE)

    assert turns.asked(1.0) == {ONE: 1}


def test_its_lanes_share_that_half_and_none_fills_it() -> None:
    turns = Turns(16)
    turns.heard([ONE, OTHER, TWO], 0.0)
    first = turns.asked(1.0)
    for _ in range(4):
        turns.took(ONE)

    assert first == {ONE: 4, OTHER: 4, TWO: 8}
    assert turns.asked(1.0) == {TWO: 8, OTHER: 4}


def test_an_account_that_holds_half_is_not_asked_and_another_one_is() -> None:
    turns = Turns(8)
    turns.heard([ONE, TWO], 0.0)
    for _ in range(4):
        turns.took(ONE)

    assert turns.asked(1.0) == {TWO: 4}


def test_who_holds_least_and_waited_longest_is_asked_first() -> None:
    turns = Turns(8)
    turns.heard([ONE, TWO, THREE], 0.0)
    turns.took(ONE)
    for lane in (TWO, THREE):
        turns.took(lane)
        turns.gave(lane)

    assert list(turns.asked(1.0)) == [TWO, THREE, ONE]


def test_nobody_is_asked_before_something_is_due_or_while_no_slot_is_free() -> None:
    turns = Turns(2)
    turns.seen({ONE: 5.0}, 0.0)
    before = turns.asked(4.0)
    turns.took(TWO)
    turns.took(THREE)

    assert (before, turns.asked(6.0)) == ({}, {})


def test_what_is_heard_while_one_looks_is_not_forgotten() -> None:
    turns = Turns(8)
    turns.heard([ONE], 1.0)
    turns.heard([TWO], 3.0)
    turns.seen({}, 2.0)

    assert list(turns.asked(4.0)) == [TWO]


@pytest.mark.promise("P-LAUNCH-34")
def test_groups_that_only_wait_give_their_slots_up_until_their_lane_has_enough_of_them() -> None:
    turns = Turns(8)
    turns.heard([ONE, OTHER], 0.0)
    waiting = 0
    while ONE in turns.asked(1.0):
        turns.took(ONE)
        assert turns.parks(ONE, 10)
        waiting += 10

    assert waiting >= MOST_WAITING > waiting - 10
    assert turns.free() == 8
    assert turns.asked(1.0) == {OTHER: 2}
    turns.left(ONE, 10)
    assert ONE in turns.asked(1.0)


@pytest.mark.promise("P-LAUNCH-34")
def test_groups_that_wait_are_bounded_in_number_because_each_holds_profiles() -> None:
    turns = Turns(2)
    for account in range(4):
        turns.took(Lane(account, TriggerId(1)))
        assert turns.parks(Lane(account, TriggerId(1)), 1)
    turns.took(ONE)

    assert not turns.parks(ONE, 1)
    assert turns.free() == 1
