"""The processes are looked at while somebody watches, and not otherwise."""

import asyncio
from contextlib import suppress

import pytest

from profuse.console.watching import sampler as sampling
from profuse.console.watching.rates import Look
from profuse.console.watching.sampler import Sampler

pytestmark = pytest.mark.promise("P-CONSOLE-03")


async def test_nobody_is_asked_while_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_WATCHED_FOR", 0.05)
    looks: list[Look] = []

    async def take() -> Look:
        looks.append(Look(float(len(looks))))
        return looks[-1]

    sampler = Sampler(take, every=0.01)
    running = asyncio.create_task(sampler.run())
    first = await asyncio.wait_for(sampler.now(), 5)
    watching = sampler.watch()
    seen = [await asyncio.wait_for(anext(watching), 5) for _ in range(3)]
    while sampler._somebody.is_set():
        await asyncio.sleep(0.01)
    taken = len(looks)
    again = await asyncio.wait_for(sampler.now(), 5)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert list(first) == looks[:1]
    assert [len(each) for each in seen] == sorted({len(each) for each in seen})
    # What was seen before the hole would tell rates of a time in which nobody looked.
    assert list(again) == looks[taken : taken + 1]
