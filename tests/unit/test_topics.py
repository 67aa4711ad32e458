"""Where a key's records go."""

import pytest

from schemas.topics import partition


@pytest.mark.parametrize(("key", "place"), [(b"", 0), (b"1", 0x83DCEFB7 % 12), (b"123456789", 0xCBF43926 % 12)])
def test_a_key_is_placed_by_its_crc32(key: bytes, place: int) -> None:
    assert partition(key, 12) == place
