"""What is told to those who wait at a partition's end, and when."""

import asyncio
import json
from typing import NamedTuple

import pytest

from schemas.settings import Settings
from workers.hooks.model import Place
from workers.hooks.newest import Newest
from workers.hooks.window import Window


class Record(NamedTuple):
    offset: int
    value: bytes


def record(offset: int, account: int = 1) -> Record:
    return Record(offset, json.dumps({"account_id": account, "event_type": "send"}).encode())


def opened(start: int) -> Newest:
    newest = Newest(Settings(), None)
    newest._windows[0] = Window(start)
    return newest


@pytest.mark.promise("P-HOOK-01")
async def test_a_place_is_before_its_event_as_soon_as_that_is_there() -> None:
    newest, place = opened(5), Place(1, 0, 0, 5)
    waiting = asyncio.create_task(newest.news(place, 1))
    await asyncio.sleep(0)
    newest._add(0, [record(5, account=2)])

    assert place.is_at_end

    newest._add(0, [record(6), record(7)])

    # Whoever stores places now comes before the courier does.
    assert (place.is_at_end, place.position) == (False, 6)
    async with asyncio.timeout(1):
        await waiting


async def test_a_place_that_has_read_further_than_the_window_does_not_go_back() -> None:
    newest, place = opened(5), Place(1, 0, 0, 9)
    waiting = asyncio.create_task(newest.news(place, 1))
    await asyncio.sleep(0)
    newest._add(0, [record(6)])
    await waiting

    assert place.position == 9


async def test_records_that_come_again_are_dropped() -> None:
    newest = opened(5)
    newest._add(0, [record(5), record(6)])
    newest._add(0, [record(5), record(6), record(7)])
    newest._add(1, [record(5)])
    window = newest.window(0)

    assert window is not None
    assert [event.offset for event in window.after(1, 5)] == [5, 6, 7]
    assert newest.window(1) is None


async def test_whoever_waits_no_longer_is_forgotten() -> None:
    newest, place = opened(5), Place(1, 0, 0, 5)
    waiting = asyncio.create_task(newest.news(place, 1))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])

    assert not place.is_at_end
    assert newest._waiting[0, 1] == []
