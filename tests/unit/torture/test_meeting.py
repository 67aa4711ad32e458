"""What can be known of items that meet at a profile by different keys."""

from collections.abc import Sequence
from dataclasses import replace

from profuse.torture.account import WELCOME
from profuse.torture.model import Item, Key, Request
from profuse.torture.verdict import differences
from profuse.torture.verdict.batches import AMBIGUOUS, TAKEN
from profuse.torture.verdict.profiles import last
from profuse.torture.verdict.seen import Applied, Batch, Profile
from tests.unit.torture.worlds import asked, batch, ids12, profile, world

ONE, TWO = ids12("one"), ids12("two")
BY_EMAIL, BY_PHONE, BY_CODE = Item(1, 7, Key.EMAIL), Item(2, 7, Key.PHONE), Item(4, 7, Key.CODE)


def told(ends: Sequence[tuple[Request, object]], profiles: dict[bytes, Profile]) -> list[str]:
    """Requests of one item each, with their profiles or errors."""
    batches = {request.id: batch(request.id, [end], {WELCOME: [0] if isinstance(end, bytes) else []}) for request, end in ends}  # type: ignore[list-item]
    requests = [request for request, _ in ends]
    return [str(each) for each in differences(requests, world(batches, profiles, requests))]


def test_two_that_race_to_create_may_leave_two_profiles() -> None:
    first, second = asked(BY_EMAIL, name="a", sent=1, answered=3), asked(BY_PHONE, name="b", sent=2, answered=4)

    assert told([(first, ONE), (second, TWO)], {ONE: profile(BY_EMAIL), TWO: profile(BY_PHONE)}) == []


def test_who_was_sent_after_the_other_was_answered_must_find_its_profile() -> None:
    first, second = asked(BY_EMAIL, name="a", sent=1, answered=3), asked(BY_PHONE, name="b", sent=3.5, answered=4)
    found = told([(first, ONE), (second, TWO)], {ONE: profile(BY_EMAIL), TWO: profile(BY_PHONE)})

    assert found == [f"doubled: 1 profiles that were created although others were known: {TWO.hex()}"]


def test_who_knows_less_need_not_be_found_by_more() -> None:
    first, second = asked(BY_PHONE, name="a", sent=1, answered=3), asked(BY_EMAIL, name="b", sent=3.5, answered=4)

    assert told([(first, ONE), (second, TWO)], {ONE: profile(BY_PHONE), TWO: profile(BY_EMAIL)}) == []


def test_two_holders_justify_a_409_and_one_does_not() -> None:
    first, second = asked(BY_EMAIL, name="a", sent=1, answered=3), asked(BY_PHONE, name="b", sent=2, answered=4)
    third = asked(Item(5, 7, Key.PHONE), name="c", sent=5, answered=6)
    two = {ONE: profile(BY_EMAIL), TWO: profile(BY_PHONE)}

    assert told([(first, ONE), (second, TWO), (third, AMBIGUOUS)], two) == []
    assert told([(first, ONE), (third, AMBIGUOUS)], {ONE: profile(BY_EMAIL)}) == [
        "wrong: 1 items that failed with 409, and nobody was in their way: 5"
    ]


def test_an_email_that_nobody_has_is_nobody_elses() -> None:
    first, second = asked(BY_PHONE, name="a", sent=1, answered=3), asked(BY_CODE, name="b", sent=2, answered=4)

    assert told([(first, ONE), (second, TAKEN)], {ONE: profile(BY_PHONE)}) == [
        "wrong: 1 items that failed with 409, and nobody was in their way: 4"
    ]
    assert told([(asked(BY_EMAIL, name="a"), ONE), (second, TAKEN)], {ONE: profile(BY_EMAIL)}) == []


def test_an_update_that_failed_leaves_no_mark() -> None:
    first, second = asked(BY_EMAIL, name="a"), asked(BY_CODE, name="b")

    assert "doubled: 1 updates of profiles that nothing stands for: m4" in told(
        [(first, ONE), (second, TAKEN)], {ONE: profile(BY_CODE, BY_EMAIL)}
    )


def applied(item: Item, sent: float, answered: float, place: int = 0, name: str = "") -> Applied:
    request = replace(asked(item, name=name or str(item.number)), sent=sent, taken=answered, applied=answered)
    return Applied(item, request, place, Batch(b""), ONE)


def test_of_what_overlaps_any_may_be_the_last() -> None:
    assert last([applied(BY_EMAIL, 1, 3), applied(BY_PHONE, 2, 4)]) == {1, 2}


def test_of_two_keys_the_one_that_was_sent_after_the_others_answer_is_the_last() -> None:
    assert last([applied(BY_EMAIL, 1, 3), applied(BY_PHONE, 3.5, 4)]) == {2}


def test_a_202_keeps_the_order_of_one_key_but_not_of_two() -> None:
    accepted = applied(BY_EMAIL, 1, 3)
    accepted = accepted._replace(request=replace(accepted.request, applied=float("inf")))

    assert last([accepted, applied(Item(9, 7, Key.EMAIL), 3.5, 4)]) == {9}
    assert last([accepted, applied(BY_PHONE, 3.5, 4)]) == {1, 2}


def test_of_one_request_the_last_place_counts_for_each_key() -> None:
    assert last([applied(BY_EMAIL, 1, 3, 0, "r"), applied(Item(9, 7, Key.EMAIL), 1, 3, 1, "r")]) == {9}
