"""When profiles are read again, and how many with one."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from tests.launching import Remembering, campaign, knowing
from tests.unit.launcher.test_sending import SENT, due, ended
from workers.launcher.clock import clock
from workers.launcher.deliver import newest
from workers.launcher.deliver.newest import Newest
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.profiles import Stored

pytestmark = pytest.mark.promise("P-LAUNCH-50")

IDS = [bytes([number]) * 12 for number in range(200)]
LONG_AGO = -3600.0


class Reads:
    """Keeps what is asked for, and finds as many of it as there is room for."""

    def __init__(self, *room: int) -> None:
        self.asked: list[list[bytes]] = []
        self._room = list(room)

    async def __call__(self, whose: Sequence[bytes]) -> list[Stored]:
        self.asked.append(list(whose))
        await asyncio.sleep(0)
        found = whose[: self._room.pop(0)] if self._room else whose
        return [Stored(each, "{}", "[]", None, taken_back=False) for each in found]


async def found(profiles: Newest, *whose: bytes) -> list[bytes | None]:
    stored = await asyncio.gather(*(profiles.of(each, lambda: True) for each in whose))
    return [each and each.id for each in stored]


async def test_of_a_page_that_leaves_at_once_nobody_is_read_again() -> None:
    reads = Reads()
    page = Page(due(*"abcd"), campaign(), [], lambda: True, newest=Newest(reads, IDS, clock()))

    assert await ended(knowing({"email": Remembering()}), page) == dict.fromkeys(range(4), SENT)
    assert reads.asked == []


async def test_those_that_come_next_are_read_with_one_that_has_waited() -> None:
    reads = Reads()
    profiles = Newest(reads, IDS, LONG_AGO)

    # As the hands of a trigger come: at the same time, one after the other.
    assert [await found(profiles, *IDS[at : at + 16]) for at in range(0, 192, 16)] == [IDS[at : at + 16] for at in range(0, 192, 16)]
    assert reads.asked == [IDS[:64], IDS[64:128], IDS[128:192]]


async def test_what_was_read_with_another_is_believed_no_longer_than_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "_BELIEVED", -1.0)
    reads = Reads()
    profiles = Newest(reads, IDS[:3], clock())

    assert [await found(profiles, each) for each in IDS[:2]] == [[IDS[0]], [IDS[1]]]
    assert reads.asked == [IDS[:3], IDS[1:3]]


async def test_whoever_found_no_room_beside_others_is_read_once_more() -> None:
    reads = Reads(0, 1)

    assert await found(Newest(reads, IDS[:3], LONG_AGO), IDS[1]) == [IDS[1]]
    assert len(reads.asked) == 2


async def test_who_is_not_to_go_any_more_waits_for_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "_ASKED_AGAIN_AFTER", 0.0)
    wanted = [True, True, False]

    async def away(_: Sequence[bytes]) -> list[Stored]:
        raise asyncpg.CannotConnectNowError("the database system is starting up")

    async with asyncio.timeout(10):
        assert await Newest(away, IDS, LONG_AGO).of(IDS[0], lambda: wanted.pop(0)) is None
