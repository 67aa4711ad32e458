"""What many requests have in common is told in a line of them all."""

import pytest

from ingest.http.sparing import Sparing


@pytest.mark.promise("P-WATCH-06")
def test_one_kind_is_told_at_once_and_then_every_ten_seconds_at_most_with_those_since() -> None:
    sparing = Sparing()

    assert [sparing.told("a", now) for now in (1000.0, 1001.0, 1009.9, 1010.0, 1010.1, 1030.0)] == [1, 0, 0, 3, 0, 2]


@pytest.mark.promise("P-WATCH-06")
def test_each_kind_is_told_by_itself() -> None:
    sparing = Sparing()

    assert [sparing.told(kind, 1000.0) for kind in ("a", "b", "a", "b")] == [1, 1, 0, 0]
