"""Which lanes are asked for what is due."""

import pytest

from schemas.ids import TriggerId
from workers.launcher.claim.holding import Holding
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.turns import MOST_WAITING, Asked, Turns, Waits

pytestmark = pytest.mark.promise("P-LAUNCH-31")

ONE, TWO, THREE = (Lane(account, TriggerId(account)) for account in (1, 2, 3))
# Of the first account, too.
OTHER = Lane(1, TriggerId(9))


def asked(turns: Turns, now: float) -> dict[Lane, int]:
    """How many groups each may have."""
    return {lane: may.groups for lane, may in turns.asked(now).items()}


def test_no_account_holds_more_than_half_of_the_slots() -> None:
    turns = Turns(8, 1)
    turns.heard([ONE], 0.0)
    for _ in range(3):
        turns.took({ONE: [1]})
        turns.lasts(ONE, 1)

    assert asked(turns, 1.0) == {ONE: 1}
    turns.took({ONE: [1]})
    turns.lasts(ONE, 1)
    assert asked(turns, 1.0) == {}


@pytest.mark.promise("P-LAUNCH-43")
def test_a_lane_gets_no_more_than_is_worked_on_while_it_goes_on() -> None:
    turns = Turns(16, 100)
    turns.heard([ONE], 0.0)
    turns.took({ONE: [2_000, 2_000]})

    # A page is marked while another one is sent; the rest is another launcher's.
    assert asked(turns, 1.0) == {}
    turns.gave(ONE, 2_000)
    assert asked(turns, 1.0) == {ONE: 1}


@pytest.mark.promise("P-LAUNCH-43")
def test_a_group_that_takes_long_keeps_its_lane_from_nothing() -> None:
    turns = Turns(16, 100)
    turns.heard([ONE], 0.0)
    turns.took({ONE: [2_000, 2_000]})
    turns.lasts(ONE, 2_000)

    assert asked(turns, 1.0) == {ONE: 1}
    turns.lasted(ONE, 2_000)
    turns.gave(ONE, 2_000)
    assert asked(turns, 1.0) == {ONE: 1}


def test_its_lanes_share_that_half_and_none_fills_it() -> None:
    turns = Turns(16, 1)
    turns.heard([ONE, OTHER, TWO], 0.0)
    first = asked(turns, 1.0)
    for _ in range(4):
        turns.took({ONE: [1]})
        turns.lasts(ONE, 1)

    assert first == {ONE: 2, OTHER: 2, TWO: 2}
    assert asked(turns, 1.0) == {TWO: 2, OTHER: 2}


def test_an_account_that_holds_half_is_not_asked_and_another_one_is() -> None:
    turns = Turns(8, 1)
    turns.heard([ONE, TWO], 0.0)
    for _ in range(4):
        turns.took({ONE: [1]})
        turns.lasts(ONE, 1)

    assert asked(turns, 1.0) == {TWO: 1}


def test_who_holds_least_and_waited_longest_is_asked_first() -> None:
    turns = Turns(8, 1)
    turns.heard([ONE, TWO, THREE], 0.0)
    turns.took({ONE: [1]})
    for lane in (TWO, THREE):
        turns.took({lane: [1]})
        turns.gave(lane, 1)

    # Of eight all is asked for by those who hold nothing.
    assert list(asked(turns, 1.0))[:2] == [TWO, THREE]


def test_nobody_is_asked_before_something_is_due_or_while_no_slot_is_free() -> None:
    turns = Turns(2, 1)
    turns.seen({ONE: 5.0}, 0.0)
    before = asked(turns, 4.0)
    turns.took({TWO: [1]})
    turns.took({THREE: [1]})

    assert (before, asked(turns, 6.0)) == ({}, {})


def test_what_is_heard_while_one_looks_is_not_forgotten() -> None:
    turns = Turns(8, 1)
    turns.heard([ONE], 1.0)
    turns.heard([TWO], 3.0)
    turns.seen({}, 2.0)

    assert list(asked(turns, 4.0)) == [TWO]


@pytest.mark.promise("P-LAUNCH-34")
def test_groups_that_only_wait_give_their_slots_up_until_their_lane_has_enough_of_them() -> None:
    turns = Turns(8, 1)
    turns.heard([ONE, OTHER], 0.0)
    waiting = 0
    while ONE in asked(turns, 1.0):
        turns.took({ONE: [1]})
        assert turns.parks(ONE, 1, Waits(10, 10))
        waiting += 10

    assert waiting >= MOST_WAITING > waiting - 10
    assert asked(turns, 1.0) == {OTHER: 1}
    turns.left(ONE, Waits(10, 10))
    assert ONE in asked(turns, 1.0)


@pytest.mark.promise("P-LAUNCH-34", "P-LAUNCH-43")
def test_a_group_that_waited_and_goes_on_again_keeps_its_lane_from_nothing() -> None:
    turns = Turns(8, 1)
    turns.heard([ONE], 0.0)
    turns.took({ONE: [1, 1]})
    groups = [Holding(turns, ONE, 1, lambda: None) for _ in range(2)]
    for each in groups:
        each.looked(100, 100, came=False)
    shut = asked(turns, 1.0)
    for each in groups:
        each.looked(99, 99, came=True)
    opened = asked(turns, 1.0)
    for each in groups:
        each.looked(98, 98, came=False)
        each.leave()

    assert (shut, opened) == ({}, {ONE: 1})
    # Nothing is left of them, whatever they were by then.
    assert asked(turns, 1.0) == asked(fresh(), 1.0)


def fresh() -> Turns:
    turns = Turns(8, 1)
    turns.heard([ONE], 0.0)
    turns.took({ONE: [1]})
    turns.gave(ONE, 1)
    return turns


@pytest.mark.promise("P-LAUNCH-34")
def test_groups_that_wait_are_bounded_in_all_because_each_holds_profiles() -> None:
    turns = Turns(2, 1)
    for account in range(4):
        turns.took({Lane(account, TriggerId(1)): [1]})
        assert turns.parks(Lane(account, TriggerId(1)), 1, Waits(1, 1))
    turns.took({ONE: [1]})

    assert not turns.parks(ONE, 1, Waits(1, 1))
    turns.heard([Lane(2, TriggerId(1)), TWO], 0.0)
    # Of a lane that waits nothing more is asked: it could only hold its slot.
    assert asked(turns, 1.0) == {TWO: 1}


@pytest.mark.promise("P-LAUNCH-34")
def test_lanes_that_wait_hold_no_more_than_can_be_parked_so_that_two_slow_ones_leave_room_to_their_account() -> None:
    slow, slower, mails = ONE, OTHER, Lane(1, TriggerId(3))
    turns = Turns(8, 2)
    turns.heard([slow, slower], 0.0)
    while given := asked(turns, 1.0):
        for lane, groups in given.items():
            turns.took({lane: [1] * groups})
        for lane in [lane for lane, groups in given.items() for _ in range(groups)]:
            if not turns.parks(lane, 1, Waits(1, 1)):
                turns.gave(lane, 1)
    turns.heard([mails], 0.0)

    assert asked(turns, 1.0) == {mails: 1}


@pytest.mark.promise("P-LAUNCH-34")
def test_small_groups_that_wait_take_as_much_as_they_have_launches() -> None:
    turns = Turns(1, 8)

    assert [turns.parks(Lane(number, TriggerId(1)), 1, Waits(1, 1)) for number in range(17)] == [True] * 16 + [False]


@pytest.mark.promise("P-LAUNCH-42")
def test_small_groups_take_as_much_room_as_they_have_launches() -> None:
    turns = Turns(16, 100)
    turns.heard([ONE], 0.0)
    first = asked(turns, 1.0)
    turns.took({ONE: [1, 1, 1, 1]})

    # A lane of which nothing is known may have groups of a page; of one that has singles more may be had, but not without an end.
    assert first == {ONE: 2}
    # If they are larger after all, they are fewer.
    assert turns.asked(1.0) == {ONE: Asked(196, 196)}


@pytest.mark.promise("P-LAUNCH-42")
def test_a_lane_whose_groups_have_grown_is_asked_for_fewer() -> None:
    turns = Turns(8, 100)
    turns.heard([ONE, TWO], 0.0)
    turns.took({ONE: [1]})
    turns.took({ONE: [5_000, 5_000]})

    assert asked(turns, 1.0) == {TWO: 1}
    turns.gave(ONE, 5_000)
    turns.gave(ONE, 5_000)
    assert turns.asked(1.0)[ONE] == Asked(1, 100)


@pytest.mark.promise("P-LAUNCH-43")
def test_what_one_claim_brought_closes_its_lane_to_nobody_however_much_of_it_waits() -> None:
    turns = Turns(16, 100)
    turns.heard([ONE], 0.0)
    turns.took({ONE: [100]})
    assert turns.parks(ONE, 100, Waits(100, 100))
    assert ONE in asked(turns, 1.0)
    turns.took({ONE: [100]})
    assert turns.parks(ONE, 100, Waits(90, 90))

    assert asked(turns, 1.0) == {}


@pytest.mark.promise("P-LAUNCH-43")
def test_a_lane_is_asked_again_when_few_of_its_launches_wait() -> None:
    turns = Turns(16, 100)
    turns.heard([ONE], 0.0)
    for _ in range(2):
        turns.took({ONE: [100]})
        assert turns.parks(ONE, 100, Waits(100, 100))
    before = asked(turns, 1.0)
    turns.waits(ONE, Waits(100, 100), Waits(15, 15))

    assert (before, list(asked(turns, 1.0))) == ({}, [ONE])
    turns.left(ONE, Waits(15, 15))
    turns.left(ONE, Waits(100, 100))
    # Nothing of it is left behind.
    assert turns._parking.all() == 0
    assert not turns._parking.lanes(0)
    assert not turns._waiting


def parked(turns: Turns, lane: Lane) -> int:
    """Pages of what is spread that it parks until it gets no more; what may not be parked is given back."""
    turns.heard([lane], 0.0)
    pages, goes_on = 0, True
    while goes_on and lane in (given := asked(turns, 1.0)):
        turns.took({lane: [2_000] * given[lane]})
        for _ in range(given[lane]):
            goes_on = turns.parks(lane, 2_000, Waits(2_000, 0))
            pages += goes_on
            if not goes_on:
                turns.gave(lane, 2_000)
    turns.seen({}, 1.0)
    return pages


@pytest.mark.promise("P-LAUNCH-34", "P-LAUNCH-43")
def test_what_waits_for_nothing_of_its_lane_s_is_bounded_by_what_the_lane_leaves_to_its_account_s_others() -> None:
    turns = Turns(16, 400)

    # Of 32 pages that may be parked an account has half, and a lane half of what is left of that.
    assert [parked(turns, lane) for lane in (ONE, OTHER, Lane(1, TriggerId(10)))] == [8, 4, 2]
    # It is not even asked for more, for a while.
    turns.heard([ONE, OTHER], 0.0)
    assert asked(turns, 1.0) == {}


@pytest.mark.promise("P-LAUNCH-31", "P-LAUNCH-34")
def test_accounts_that_have_parked_what_they_may_leave_place_to_the_next() -> None:
    turns = Turns(16, 400)
    many = [[parked(turns, Lane(account, TriggerId(number))) for number in range(1, 6)] for account in (1, 2, 3)]
    turns.heard([Lane(4, TriggerId(1))], 0.0)

    assert [sum(pages) for pages in many] == [16, 8, 4]
    assert asked(turns, 1.0) == {Lane(4, TriggerId(1)): 2}
    assert turns.parks(Lane(4, TriggerId(1)), 400, Waits(400, 0))


@pytest.mark.promise("P-LAUNCH-43")
def test_one_slow_launch_that_waits_takes_nothing_of_what_its_lane_may_have() -> None:
    turns = Turns(16, 400)
    for lane in (ONE, OTHER):
        parked(turns, lane)
    mails = Lane(1, TriggerId(10))
    turns.heard([mails], 0.0)
    assert turns.parks(mails, 0, Waits(1, 1))

    assert asked(turns, 1.0) == {mails: 2}


@pytest.mark.promise("P-LAUNCH-34", "P-LAUNCH-43")
def test_where_no_more_may_wait_one_at_a_time_is_asked_for_and_after_one_that_would_have_nothing_for_a_while() -> None:
    turns = Turns(16, 400)
    parked(turns, ONE)
    turns.heard([ONE], 5.0)
    assert asked(turns, 5.0) == {}
    # A single launch of the same trigger, which waits for nothing.
    first = asked(turns, 10.0)
    turns.took({ONE: [1]})
    beside = asked(turns, 10.0)
    turns.gave(ONE, 1)
    turns.took({ONE: [400]})
    refused = not turns.parks(ONE, 400, Waits(400, 0))
    turns.gave(ONE, 400)

    assert (first, beside, refused) == ({ONE: 1}, {}, True)
    assert [asked(turns, 10.0 + seconds) for seconds in (0, 4, 6)] == [{}, {}, {ONE: 1}]


@pytest.mark.promise("P-LAUNCH-34")
def test_what_a_lane_holds_and_will_park_counts_as_parked() -> None:
    turns = Turns(16, 400)
    turns.heard([ONE], 0.0)
    for _ in range(7):
        turns.took({ONE: [2_000]})
        assert turns.parks(ONE, 2_000, Waits(2_000, 0))
    before = asked(turns, 1.0)
    turns.took({ONE: [2_000]})

    assert (before, asked(turns, 1.0)) == ({ONE: 1}, {})
