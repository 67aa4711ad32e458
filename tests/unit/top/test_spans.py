"""What two looks at the processes' metrics tell."""

import math
from collections.abc import Mapping

import pytest

from profuse.exposition import Samples, parsed
from profuse.top.samples import Look, Process, Span


def metrics(*lines: str) -> Samples:
    return parsed("\n".join((*lines, "")))


def span(before: Mapping[str, Samples | None], now: Mapping[str, Samples | None], seconds: float = 2.0) -> Span:
    looks = [[Process(name, "matcher", samples) for name, samples in each.items()] for each in (before, now)]
    return Span(Look(10.0, looks[0]), Look(10.0 + seconds, looks[1]))


def test_a_page_that_is_no_page_of_metrics_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid"):
        parsed("<html> is not what was asked for </html>")


def test_labels_with_quotes_and_line_breaks_are_read_as_they_are() -> None:
    page = metrics('x{hook="a \\"b\\"\\nc",account="1"} 3')

    assert span({}, {"one": page}).total("x", hook='a "b"\nc') == 3


def test_a_rate_is_what_all_processes_counted_in_a_second() -> None:
    before = {"one": metrics('x{a="1"} 10', 'x{a="2"} 1'), "two": metrics('x{a="1"} 100')}
    now = {"one": metrics('x{a="1"} 14', 'x{a="2"} 1'), "two": metrics('x{a="1"} 106')}

    assert span(before, now).rate("x") == 5
    assert span(before, now).rate("x", a="2") == 0


def test_whoever_was_started_in_between_began_at_nothing() -> None:
    before = {"one": metrics("x 100"), "gone": metrics("x 50")}
    now = {"one": metrics("x 6"), "new": metrics("x 4")}

    assert span(before, now).rate("x") == 5


def test_whoever_does_not_answer_counts_nothing_and_breaks_nothing() -> None:
    assert span({"one": metrics("x 100")}, {"one": None}).rate("x") == 0
    assert span({"one": None}, {"one": metrics("x 8")}).total("x") == 8
    assert span({"one": None}, {"one": metrics("x 8")}).grown("x") == 0


def test_two_looks_at_the_same_moment_have_no_rate() -> None:
    assert span({"one": metrics("x 1")}, {"one": metrics("x 9")}, seconds=0).rate("x") == 0


def test_what_each_process_sees_of_the_same_is_not_added() -> None:
    assert span({}, {"one": metrics("x 5"), "two": metrics("x 7")}).most("x") == 7
    assert span({}, {}).most("x") == 0


@pytest.mark.parametrize(
    ("counts", "share", "bound"),
    [((0, 0, 0), 0.99, None), ((99, 99, 100), 0.99, 0.1), ((98, 99, 100), 0.99, 1.0), ((1, 1, 1), 0.5, 0.1), ((0, 0, 3), 0.5, math.inf)],
)
def test_a_share_stayed_within_the_bound_of_the_first_bucket_that_holds_it(
    counts: tuple[int, int, int], share: float, bound: float | None
) -> None:
    old = metrics(*(f'late_bucket{{le="{le}"}} 1000' for le in ("0.1", "1.0", "+Inf")))
    new = metrics(*(f'late_bucket{{le="{le}"}} {1000 + count}' for le, count in zip(("0.1", "1.0", "+Inf"), counts, strict=True)))

    assert span({"one": old}, {"one": new}).within("late_bucket", share) == bound
