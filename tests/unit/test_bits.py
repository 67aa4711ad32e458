from hypothesis import given
from hypothesis.strategies import integers, sets

from schemas import bits


@given(sets(integers(0, 40)), integers(41, 60))
def test_what_was_set_is_set_and_nothing_else(positions: set[int], count: int) -> None:
    packed = bits.packed(count, positions)
    assert len(packed) == (count + 7) // 8
    assert {at for at in range(count) if bits.is_set(packed, at)} == positions


def test_the_first_position_is_the_leftmost_bit() -> None:
    assert bits.packed(9, [0, 8]) == bytes([0b1000_0000, 0b1000_0000])
