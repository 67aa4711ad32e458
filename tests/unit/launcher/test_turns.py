"""Which accounts are asked for what is due."""

import pytest

from workers.launcher.claim.turns import Turns

pytestmark = pytest.mark.promise("P-LAUNCH-31")


def test_no_account_holds_more_than_half_of_the_slots() -> None:
    turns = Turns(8)
    turns.heard([1], 0.0)
    for _ in range(3):
        turns.took(1)

    assert turns.asked(1.0) == {1: 1}


def test_an_account_that_holds_half_is_not_asked_and_another_one_is() -> None:
    turns = Turns(8)
    turns.heard([1, 2], 0.0)
    for _ in range(4):
        turns.took(1)

    assert turns.asked(1.0) == {2: 4}


def test_who_holds_least_and_waited_longest_is_asked_first() -> None:
    turns = Turns(8)
    turns.heard([1, 2, 3], 0.0)
    turns.took(1)
    for account in (2, 3):
        turns.took(account)
        turns.gave(account)

    assert list(turns.asked(1.0)) == [2, 3, 1]


def test_nobody_is_asked_before_something_is_due_or_while_no_slot_is_free() -> None:
    turns = Turns(2)
    turns.seen({1: 5.0}, 0.0)
    before = turns.asked(4.0)
    turns.took(2)
    turns.took(3)

    assert (before, turns.asked(6.0)) == ({}, {})


def test_what_is_heard_while_one_looks_is_not_forgotten() -> None:
    turns = Turns(8)
    turns.heard([1], 1.0)
    turns.heard([2], 3.0)
    turns.seen({}, 2.0)

    assert list(turns.asked(4.0)) == [2]
