"""How fast things go, from what processes say."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from profuse.console.watching import exposition, rates
from profuse.console.watching.rates import Look, Room
from profuse.exposition import Samples

pytestmark = pytest.mark.promise("P-CONSOLE-03")


def samples(count: float, **labels: str) -> Samples:
    return {(exposition.ITEMS, frozenset(labels.items())): count}


def look(at: float, **counts: float | None) -> Look:
    rooms = [
        Room(name, f"http://{name}", (), None if count is None else samples(count, fate="published")) for name, count in counts.items()
    ]
    return Look(at, rooms)


def test_a_rate_is_of_all_processes_together() -> None:
    looks = [look(0, one=100, two=0), look(2, one=140, two=60)]

    assert rates.rate(looks, exposition.ITEMS, fate="published") == 50
    assert rates.rate(looks, exposition.ITEMS, fate="failed") == 0


@pytest.mark.parametrize("looks", [[], [look(0, one=1)], [look(1, one=1), look(1, one=2)]])
def test_of_one_look_nobody_knows_a_rate(looks: list[Look]) -> None:
    assert rates.rate(looks, exposition.ITEMS) is None


def test_a_process_that_was_restarted_begins_anew() -> None:
    assert rates.rate([look(0, one=1000), look(1, one=30)], exposition.ITEMS) == 30


def test_one_that_did_not_answer_or_is_new_brings_no_jump() -> None:
    assert rates.rate([look(0, one=1000), look(1, one=None), look(2, one=5000)], exposition.ITEMS) == 0
    assert rates.rate([look(0, one=10), look(1, one=10, two=99_999)], exposition.ITEMS) == 0


def test_lateness_is_of_what_fell_due_meanwhile() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("profuse_launch_lateness_seconds", "", buckets=(0.1, 0.2, 1), registry=registry)
    for _ in range(100):
        histogram.observe(0.9)
    before = exposition.read(generate_latest(registry).decode())
    for _ in range(99):
        histogram.observe(0.15)
    histogram.observe(0.9)
    after = exposition.read(generate_latest(registry).decode())
    looks = [Look(0, [Room("a", "http://a", (), before)]), Look(1, [Room("a", "http://a", (), after)])]

    assert rates.lateness(looks[:1], 0.5) is None
    assert rates.lateness(looks, 0.5) == pytest.approx(0.1505, abs=0.001)
    assert rates.lateness(looks, 0.99) == pytest.approx(0.2)
    assert rates.lateness([], 0.5) is None


def test_beyond_the_last_bound_it_is_that_bound() -> None:
    assert rates.quantile({0.1: 0, 1.0: 0, float("inf"): 5}, 0.5) == 1.0


def test_only_what_is_shown_is_read_of_what_a_process_says() -> None:
    registry = CollectorRegistry()
    Counter("profuse_items", "", ["fate"], registry=registry).labels("published").inc(3)
    Counter("profuse_items_of_another_kind", "", registry=registry).inc(5)
    Counter("python_gc", "", registry=registry).inc(7)

    assert exposition.read(generate_latest(registry).decode()) == samples(3, fate="published")
    assert exposition.read("") == {}
