"""The model of docs/scaling.md."""

from itertools import pairwise
from pathlib import Path

import pytest

from bench.sizing import COSTS, DAYS, cluster, cluster_rows, rate, rows, sizes

PAGE = Path(__file__).parents[3] / "docs" / "scaling.md"


def test_the_page_has_the_table_of_the_model() -> None:
    """If this fails: `python -m bench.sizing` prints it."""
    page = PAGE.read_text()

    assert "\n".join(rows()) in page
    assert "\n".join(cluster_rows()) in page


@pytest.mark.parametrize(("small", "large"), list(pairwise(DAYS)))
def test_more_profiles_take_no_less_of_anything(small: int, large: int) -> None:
    assert all(less <= more for less, more in zip(sizes(small), sizes(large), strict=True))


def test_a_part_that_ends_first_says_how_much_it_is() -> None:
    assert rate({"matcher": 1, "gateway": 1}, cores=100) == 1_000_000 / COSTS["matcher"]
    assert rate({"matcher": 4, "gateway": 1}, cores=100) == 1_000_000 / COSTS["gateway"]
    assert rate({"matcher": 4, "gateway": 4}, cores=2) == 2_000_000 / sum(COSTS.values())


def test_a_cluster_grows_until_its_postgres_is_full() -> None:
    assert cluster(2) == 2 * cluster(1)
    assert cluster(49) == cluster(50) < cluster(50, postgres_cores=16)


def test_the_model_says_what_was_measured_on_two_quiet_cores() -> None:
    """The run of docs/performance.md: 9,474 new profiles a second, with one gateway and two matchers."""
    assert 0.9 < 9_474 / rate({"gateway": 1, "matcher": 2, "launcher": 1}, cores=2) < 1
