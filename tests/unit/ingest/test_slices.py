"""Long work of many requests goes on by one slice at a time, and short work waits for none of it."""

import asyncio
from collections.abc import Generator

import pytest

from ingest.admission.budget import Budget, Share
from ingest.admission.slices import Slices
from ingest.http.interleaving import in_turns

pytestmark = pytest.mark.promise("P-HTTP-31")


async def test_others_are_heard_between_any_two_slices() -> None:
    slices, done, between = Slices(), [], []

    async def work(request: int) -> None:
        for _ in range(5):
            await slices.others_first()
            done.append(request)

    async with asyncio.TaskGroup() as tasks:
        for request in range(10):
            tasks.create_task(work(request))
        while len(done) < 50:
            before = len(done)
            await asyncio.sleep(0)
            between.append(len(done) - before)

    assert max(between) == 1
    assert done == [*range(10)] * 5


async def test_who_is_done_in_a_moment_does_not_wait_for_who_is_not() -> None:
    budget = Budget(1)
    waiting = [asyncio.create_task(budget.slices.others_first()) for _ in range(100)]
    await asyncio.sleep(0)

    def quick() -> Generator[None, None, str]:
        yield
        return "done"

    assert await in_turns(quick(), Share(budget)) == "done"
    assert sum(each.done() for each in waiting) < 5
    await asyncio.gather(*waiting)
