"""Places that launches take: all of them or none, and each given back."""

import asyncio
from dataclasses import replace

import pytest

from workers.launcher.channels.slots import OfProviders, Slot, Slots
from workers.launcher.model import Provider

PROVIDER = Provider(1, "sms", "http://127.0.0.1", (), None, 1, 15)


async def test_who_is_cut_off_while_he_waits_gives_back_what_he_has() -> None:
    first, second = asyncio.Semaphore(1), asyncio.Semaphore(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), Slot(first, second):
            pass

    assert (first.locked(), second.locked()) == (False, True)


async def test_what_fails_inside_gives_back_all() -> None:
    places = Slots(2).of(1)

    async def failing() -> None:
        async with Slot(*places):
            raise KeyError

    with pytest.raises(KeyError):
        await failing()

    assert [place.locked() for place in places] == [False, False]


async def test_an_account_waits_for_its_own_before_it_takes_what_is_everybodys() -> None:
    slots = Slots(2)
    async with Slot(*slots.of(1)):
        waiting = asyncio.create_task(Slot(*slots.of(1)).__aenter__())
        await asyncio.sleep(0)
        async with asyncio.timeout(1), Slot(*slots.of(2)):
            pass
        waiting.cancel()


async def test_a_providers_places_are_those_of_all_who_use_it_and_change_with_it() -> None:
    providers = OfProviders()
    async with Slot(providers.of(PROVIDER)):
        assert providers.of(PROVIDER).locked()
        assert not providers.of(replace(PROVIDER, concurrency=2)).locked()

    assert not providers.of(PROVIDER).locked()
