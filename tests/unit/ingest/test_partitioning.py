"""A key's partition is the one that every Kafka client would choose."""

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from ingest.partitioning import partition


@given(st.binary(max_size=80), st.integers(1, 100))
def test_a_key_goes_where_the_client_library_would_put_it(key: bytes, count: int) -> None:
    assert partition(key, count) == (murmur2(key) & 0x7FFFFFFF) % count


@pytest.mark.parametrize(("key", "expected"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)])
def test_it_is_the_hash_that_kafkas_own_tests_expect(key: bytes, expected: int) -> None:
    assert partition(key, 2**31) == expected & 0x7FFFFFFF
