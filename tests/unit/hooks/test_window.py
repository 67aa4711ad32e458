"""The newest events of a partition."""

import pytest

from workers.hooks.model import Event
from workers.hooks.window import Window


def event(offset: int, account: int = 1, size: int = 100) -> Event:
    return Event(offset, account, "send", b"x" * size)


@pytest.mark.promise("P-HOOK-08")
def test_each_account_finds_its_own_events_from_anywhere_on() -> None:
    window = Window(10)
    first = window.add([event(11, 1), event(12, 2), event(14, 1)], 16, 100_000)

    assert first == {1: 11, 2: 12}
    assert [each.offset for each in window.after(1, 10)] == [11, 14]
    assert [each.offset for each in window.after(1, 12)] == [14]
    assert [each.offset for each in window.after(2, 13)] == []
    assert [each.offset for each in window.after(3, 10)] == []
    assert (window.start, window.end) == (10, 16)


@pytest.mark.promise("P-HOOK-17")
def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    window = Window(0)
    window.add([event(offset, offset % 3, 1_000) for offset in range(1_000)], 1_000, 12_500)

    kept = [each.offset for account in range(3) for each in window.after(account, window.start)]

    assert sorted(kept) == list(range(990, 1_000))
    assert (window.start, window.end) == (990, 1_000)
    assert window.add([event(1_000, 1, 100_000)], 1_001, 12_500) == {1: 1_000}
    assert (window.start, window.end) == (1_001, 1_001)
