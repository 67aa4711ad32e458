"""Which records may be processed, decided without a broker."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from schemas.ids import new_id
from schemas.messages import ProfileImport
from schemas.topics import item_headers
from workers.exactly_once.chunks import Capacity, Entry, Gap, by_partition, decoded, fingerprint, following, halves


@dataclass
class FakeRecord:
    offset: int
    partition: int = 0
    value: bytes | None = b""
    key: bytes | None = b"key"
    timestamp: int = 1
    topic: str = "topic"
    headers: Sequence[tuple[str, bytes | None]] = ()


def records(*offsets: int, partition: int = 0) -> list[FakeRecord]:
    return [FakeRecord(offset, partition) for offset in offsets]


def entries(*wanted: FakeRecord) -> list[Entry[ProfileImport]]:
    return [Entry(record, None) for record in wanted]


@pytest.mark.parametrize(
    ("offsets", "position", "kept"),
    [
        ((5, 6, 7), 5, [5, 6, 7]),
        ((3, 4, 5, 6), 5, [5, 6]),
        ((3, 4), 5, []),
        ((), 5, []),
        ((5, 6, 8, 9), 5, [5, 6]),
    ],
)
def test_only_records_without_a_hole_follow_the_position(offsets: tuple[int, ...], position: int, kept: list[int]) -> None:
    assert kept == [record.offset for record in following(records(*offsets), position)]


def test_a_missing_first_record_is_a_gap() -> None:
    with pytest.raises(Gap):
        following(records(6, 7), 5)


def test_a_newer_version_stops_the_reading_and_what_came_before_it_goes_on() -> None:
    good = ProfileImport(batch=new_id().hex(), item=0, value="a@b.test", data={})
    newer = good.encode().replace(b'"v":1', b'"v":2').replace(b'"data"', b'"changed"')

    values = [good.encode(), newer, good.encode()]
    read, held = decoded(ProfileImport, [FakeRecord(offset, value=value) for offset, value in enumerate(values)], Capacity(9, 9**9, 9))

    assert held
    assert [good] == [entry.message for entry in read]


@pytest.mark.parametrize("value", [None, b"", b"\xff\x00garbage", b"[]", b'{"v":1}', b'{"v":"x"}'])
def test_garbage_and_tombstones_fail_the_item_that_their_headers_name(value: bytes | None) -> None:
    batch = new_id()
    (entry,), held = decoded(ProfileImport, [FakeRecord(0, value=value, headers=item_headers(batch, 7))], Capacity(9, 9**9, 9))

    assert not held
    assert (batch, 7) == (entry.dead().batch, entry.dead().item)
    assert entry.dead().reason.startswith("unreadable")


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("batch", b"\xff"), ("item", b"1")),
        (("batch", b"a" * 24), ("item", b"-1")),
        (("batch", b"a" * 24), ("item", b"9" * 10)),
        (("batch", b"a" * 24), ("item", None)),
        (("batch", None), ("item", b"1")),
    ],
)
def test_unreadable_headers_name_no_item(headers: tuple[tuple[str, bytes | None], ...]) -> None:
    dead = Entry[ProfileImport](FakeRecord(0, headers=headers), None).dead()

    assert (dead.batch, dead.item) == (None, None)


def test_a_message_of_many_items_names_its_batch_alone() -> None:
    batch = new_id()
    dead = Entry[ProfileImport](FakeRecord(0, headers=(("batch", batch.hex().encode()),)), None).dead()

    assert (dead.batch, dead.item) == (batch, None)


def test_a_chunk_is_cut_between_partitions_first_then_between_offsets() -> None:
    several = entries(*records(1, 2), *records(8, 9, partition=1), *records(4, partition=2))
    first, second = halves(several)
    assert [partition for partition, _ in by_partition(first)] == [0]
    assert [partition for partition, _ in by_partition(second)] == [1, 2]

    first, second = halves(entries(*records(1, 2, 3)))
    assert ([entry.record.offset for entry in first], [entry.record.offset for entry in second]) == ([1], [2, 3])


def test_a_record_of_another_topic_of_the_same_name_has_another_fingerprint() -> None:
    record = FakeRecord(3, value=b"one")
    others = [FakeRecord(3, value=b"two"), FakeRecord(3, value=b"one", timestamp=2), FakeRecord(3, value=b"one", key=b"other")]

    assert fingerprint(FakeRecord(3, value=b"one")) == fingerprint(record)
    assert all(fingerprint(other) != fingerprint(record) for other in others)
