"""Broken code is told from broken data, decided without servers."""

from collections.abc import Sequence

import pytest

from workers.exactly_once import Dead
from workers.exactly_once.circuit_breaker import REMEMBERED, CircuitBreaker, LineStopped

ACCOUNTS = {b"ann's": 1, b"ben's": 2, b"ann's other": 1}


def dead(count: int, batches: Sequence[bytes | None], reason: str = "unreadable") -> list[Dead]:
    return [Dead("imports", 0, at, reason, batches[at % len(batches)], at) for at in range(count)]


@pytest.mark.promise("P-OPS-20")
def test_the_line_stops_where_most_of_a_chunk_fails_alike_in_two_accounts() -> None:
    with pytest.raises(LineStopped, match=r"20 of 39 messages, of 2 accounts, fail alike \(unreadable\)"):
        CircuitBreaker().hold_if_broken(dead(20, [b"ann's", b"ben's"]), 39, ACCOUNTS)


@pytest.mark.promise("P-OPS-20")
@pytest.mark.parametrize(
    ("why", "failing", "total"),
    [
        ("too few", dead(19, [b"ann's", b"ben's"]), 19),
        ("half of the chunk passes", dead(20, [b"ann's", b"ben's"]), 40),
        ("one account", dead(20, [b"ann's", b"ann's other"]), 20),
        ("nobody knows whose they are", dead(20, [None, b"ben's", b"deleted"]), 20),
        ("two reasons", dead(19, [b"ann's", b"ben's"]) + dead(19, [b"ann's", b"ben's"], "refused"), 38),
    ],
)
def test_the_line_goes_on_where_the_data_may_be_to_blame(why: str, failing: list[Dead], total: int) -> None:
    CircuitBreaker().hold_if_broken(failing, total, ACCOUNTS)


@pytest.mark.promise("P-OPS-20")
def test_the_line_stops_where_chunks_of_one_message_fail_alike_one_after_the_other() -> None:
    breaker, failing = CircuitBreaker(), dead(20, [b"ann's", b"ben's"])
    for each in failing[:-1]:
        breaker.hold_if_broken([each], 1, ACCOUNTS)
        breaker.went_on([each], 1, ACCOUNTS)

    with pytest.raises(LineStopped, match="20 of 20 messages"):
        breaker.hold_if_broken(failing[-1:], 1, ACCOUNTS)


@pytest.mark.promise("P-OPS-20")
@pytest.mark.parametrize("passed", [19, REMEMBERED])
def test_what_passed_in_between_or_is_long_ago_begins_the_count_again(passed: int) -> None:
    breaker, failing = CircuitBreaker(), dead(20, [b"ann's", b"ben's"])
    breaker.went_on(failing[:-1], 19, ACCOUNTS)
    breaker.went_on([], passed, ACCOUNTS)

    breaker.hold_if_broken(failing[-1:], 1, ACCOUNTS)
