"""Accepted batches are published in slices, tokens taking turns."""

import pytest

from ingest.publish.fair_queue import FairQueue, Records
from ingest.publish.partition_queue import Delivery


def records(count: int, name: bytes = b"") -> Records:
    return [(number % 3, (b"", name + b"%d" % number, ())) for number in range(count)]


def taken(queue: FairQueue) -> list[tuple[Delivery, int]]:
    """Which batches' slices come, and how large they are."""
    slices = []
    while queue.pending:
        placed, delivery = queue.take()
        slices.append((delivery, sum(map(len, placed.values()))))
    return slices


@pytest.mark.promise("P-HTTP-31")
def test_a_small_batch_waits_for_one_slice_of_another_token() -> None:
    queue = FairQueue()
    large, next_large, small = Delivery(1_200), Delivery(600), Delivery(5)
    queue.add(1, records(1_200), large)
    queue.add(1, records(600), next_large)
    queue.take()
    queue.add(2, records(5), small)

    assert taken(queue) == [(next_large, 500), (small, 5), (large, 500), (next_large, 100), (large, 200)]
    assert not queue.filled.is_set()


@pytest.mark.promise("P-HTTP-31")
def test_a_small_batch_waits_for_one_slice_of_a_large_one_of_its_own_token() -> None:
    queue = FairQueue()
    large, small = Delivery(1_200), Delivery(5)
    queue.add(1, records(1_200), large)
    queue.add(1, records(5), small)

    assert taken(queue) == [(large, 500), (small, 5), (large, 500), (large, 200)]


@pytest.mark.promise("P-HTTP-31")
def test_a_small_batch_waits_for_one_slice_however_many_large_ones_its_token_brought() -> None:
    queue = FairQueue()
    large = [Delivery(600) for _ in range(10)]
    for each in large:
        queue.add(1, records(600), each)
    queue.take()
    small, next_small = Delivery(5), Delivery(500)
    queue.add(1, records(5), small)
    queue.add(1, records(500), next_small)

    # Neither do large ones wait for all that are small.
    assert taken(queue)[:4] == [(small, 5), (large[1], 500), (next_small, 500), (large[2], 500)]


@pytest.mark.promise("P-HTTP-38")
def test_what_waits_is_counted_by_token_until_it_is_taken() -> None:
    queue = FairQueue()
    queue.add(1, records(700), Delivery(700))
    queue.add(1, records(40), Delivery(40))
    queue.add(2, records(5), Delivery(5))
    queue.take()

    assert (queue.waiting.of(1), queue.waiting.of(2), queue.waiting.of(3), queue.pending) == (240, 5, 0, 245)


def test_the_order_of_a_partition_is_kept() -> None:
    queue = FairQueue()
    queue.add(1, records(1_500), Delivery(1_500))
    found: list[bytes] = []
    while queue.pending:
        found += [value for _, value, _ in queue.take()[0][1]]

    assert found == [b"%d" % number for number in range(1, 1_500, 3)]


def test_a_batch_without_records_takes_no_turn() -> None:
    queue = FairQueue()
    queue.add(1, [], Delivery(0))

    assert not queue.filled.is_set()
