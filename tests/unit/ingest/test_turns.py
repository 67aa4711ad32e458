"""Accepted batches are published in slices, tokens taking turns."""

import pytest

from ingest.deliveries import Delivery
from ingest.turns import Records, Turns


def records(count: int, name: bytes = b"") -> Records:
    return [(number % 3, (b"", name + b"%d" % number, ())) for number in range(count)]


def taken(turns: Turns) -> list[tuple[Delivery, int]]:
    """Which batches' slices come, and how large they are."""
    slices = []
    while turns.pending:
        placed, delivery = turns.take()
        slices.append((delivery, sum(map(len, placed.values()))))
    return slices


@pytest.mark.promise("P-HTTP-31")
def test_a_small_batch_waits_for_one_slice_of_another_token() -> None:
    turns = Turns()
    large, next_large, small = Delivery(1_200), Delivery(600), Delivery(5)
    turns.add(1, records(1_200), large)
    turns.add(1, records(600), next_large)
    turns.take()
    turns.add(2, records(5), small)

    assert taken(turns) == [(next_large, 500), (small, 5), (large, 500), (next_large, 100), (large, 200)]
    assert not turns.filled.is_set()


@pytest.mark.promise("P-HTTP-31")
def test_a_small_batch_waits_for_one_slice_of_a_large_one_of_its_own_token() -> None:
    turns = Turns()
    large, small = Delivery(1_200), Delivery(5)
    turns.add(1, records(1_200), large)
    turns.add(1, records(5), small)

    assert taken(turns) == [(large, 500), (small, 5), (large, 500), (large, 200)]


@pytest.mark.promise("P-HTTP-38")
def test_what_waits_is_counted_by_token_until_it_is_taken() -> None:
    turns = Turns()
    turns.add(1, records(700), Delivery(700))
    turns.add(1, records(40), Delivery(40))
    turns.add(2, records(5), Delivery(5))
    turns.take()

    assert (turns.waiting.of(1), turns.waiting.of(2), turns.waiting.of(3), turns.pending) == (240, 5, 0, 245)


def test_the_order_of_a_partition_is_kept() -> None:
    turns = Turns()
    turns.add(1, records(1_500), Delivery(1_500))
    found: list[bytes] = []
    while turns.pending:
        found += [value for _, value, _ in turns.take()[0][1]]

    assert found == [b"%d" % number for number in range(1, 1_500, 3)]


def test_a_batch_without_records_takes_no_turn() -> None:
    turns = Turns()
    turns.add(1, [], Delivery(0))

    assert not turns.filled.is_set()
