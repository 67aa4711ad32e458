"""Who is admitted, how long others are sent away, and how far ahead of the matchers a gateway publishes."""

import pytest

from ingest.admission.drain import Drain, ahead
from ingest.admission.retry_after import retry_after


def watched(*looks: tuple[float, list[int], list[int]]) -> Drain:
    """What a gateway knows after some looks at ends and positions."""
    drain = Drain()
    for look in looks:
        drain = drain.observed(*look)
    return drain


def draining(rate: int, seconds: int) -> Drain:
    return watched(*[(second, [1_000_000], [rate * second]) for second in range(seconds)])


@pytest.mark.promise("P-HTTP-31")
@pytest.mark.parametrize(
    ("in_flight", "asked", "seconds"),
    [
        (0, 1_000_000, None),
        (900, 100, None),
        (900, 101, 1),
        (1_000, 500, 5),
        (9_000, 100, 60),
        # There is room for any request once nothing else is in flight.
        (500, 100_000, 5),
    ],
)
def test_what_is_too_much_is_sent_away_until_it_has_drained(in_flight: int, asked: int, seconds: int | None) -> None:
    assert retry_after(in_flight, asked, limit=1_000, rate=100.0) == seconds


@pytest.mark.promise("P-HTTP-31")
def test_while_nothing_drains_it_is_sent_away_for_the_longest_time() -> None:
    assert retry_after(1_000, 500, limit=1_000, rate=0.0) == 60


def test_behind_is_the_sum_of_what_is_between_positions_and_ends() -> None:
    assert watched((0, [10, 20, 5], [3, 20, 9])).behind == 7


@pytest.mark.promise("P-HTTP-31")
def test_the_rate_follows_what_the_matchers_do() -> None:
    steady = draining(5_000, 30).rate

    assert steady == pytest.approx(5_000, rel=0.01)


def test_with_nothing_to_do_the_rate_stays_what_it_was() -> None:
    busy = watched((0, [1_000], [0]), (1, [1_000], [1_000]))
    idle = busy.observed(2, [1_000], [1_000]).observed(60, [1_000], [1_000])

    assert busy.rate == idle.rate > 0


@pytest.mark.parametrize("shared", [False, True])
def test_who_does_all_that_he_is_given_between_two_looks_is_given_more(*, shared: bool) -> None:
    drain, done = watched((0, [0], [0])), 0
    for look in range(1, 20):
        done += ahead(drain.rate, shared=shared)
        drain = drain.observed(look / 10, [done], [done])

    assert ahead(drain.rate, shared=shared) > 10_000


def test_while_the_matchers_stand_still_the_rate_falls() -> None:
    stopped = draining(5_000, 30)
    for second in range(30, 50):
        stopped = stopped.observed(second, [1_000_000], [145_000])

    assert stopped.rate < 1


def test_what_stands_still_makes_nobody_wait() -> None:
    looks = [(second, [9_000, 100 * second + 70], [500, 100 * second]) for second in range(4)]
    drain = watched(*looks)

    assert (drain.behind, drain.moving) == (8_570, 70)


def test_a_partition_that_just_got_something_to_do_does_not_stand_still() -> None:
    drain = watched((0, [5], [5]), (60, [5], [5]), (60.1, [25], [5]))

    assert drain.moving == 20


def test_publishing_runs_half_a_second_ahead_and_never_starves_a_matcher() -> None:
    assert (ahead(0.0, shared=False), ahead(40_000.0, shared=False)) == (500, 20_000)


@pytest.mark.promise("P-OPS-50")
def test_where_several_tokens_bring_something_nobody_waits_for_so_long() -> None:
    assert (ahead(0.0, shared=True), ahead(40_000.0, shared=True)) == (250, 8_000)
