"""Much work is done a bounded part at a time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from runtime.portions import portions

MOST = 10


@given(st.lists(st.integers(0, 2 * MOST)))
def test_each_is_in_one_portion_and_none_is_smaller_than_it_has_to_be(sizes: list[int]) -> None:
    cut = list(portions(sizes, int, MOST))

    assert [size for portion in cut for size in portion] == sizes
    assert all(portion and (sum(portion) <= MOST or len(portion) == 1) for portion in cut)
    assert all(sum(portion) + after[0] > MOST for portion, after in pairwise(cut))


def test_each_is_measured_without_those_before_it() -> None:
    measured = []

    def size(each: int) -> int:
        measured.append(each)
        return 1

    assert len(list(portions(range(1_000), size, MOST))) == 100
    assert len(measured) <= 2 * 1_000
