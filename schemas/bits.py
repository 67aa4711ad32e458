"""Pure: one bit a position, the first one leftmost, as Postgres counts those of a `varbit`."""

from collections.abc import Iterable


def packed(count: int, positions: Iterable[int]) -> bytes:
    """So many bits, those at the positions set; what fills the last byte is 0."""
    bits = bytearray((count + 7) // 8)
    for at in positions:
        bits[at >> 3] |= 0x80 >> (at & 7)
    return bytes(bits)


def is_set(bits: bytes, at: int) -> bool:
    return bool(bits[at >> 3] & 0x80 >> (at & 7))
