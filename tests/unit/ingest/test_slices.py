"""Long work of many requests goes on by one slice at a time, and short work waits for none of it."""

import asyncio
from collections.abc import Generator
from random import Random

import asyncpg
import msgspec
import pytest

from ingest.admission.budget import Budget, Share
from ingest.admission.slices import Slices
from ingest.endpoints.acceptance import Acceptance
from ingest.endpoints.batch_parameters import ImportProfiles
from ingest.endpoints.item_shapes import BARE_PROFILE
from ingest.endpoints.items import Shared
from ingest.http.interleaving import in_turns
from ingest.publish.producer import Producer, start_producer
from ingest.sql.pool import Pool
from schemas.ids import new_id
from schemas.matching import Matching
from schemas.settings import Settings

pytestmark = pytest.mark.promise("P-HTTP-31")

ARABIC = "ابتثجحخدذرزسشصضطظعغ"


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


@pytest.mark.promise("P-HTTP-43")
async def test_others_are_heard_while_items_are_checked_that_cost_more_than_their_length() -> None:
    chosen, settings, turns = Random(7), Settings(), 0  # noqa: S311 (repeatable, not secret)
    # A millisecond each, and none of them is known.
    domains = [".".join("".join(chosen.choices(ARABIC, k=20)) for _ in range(4)) for _ in range(600)]
    asked = ImportProfiles(db_id=1, data=[msgspec.Raw(msgspec.json.encode({"email": f"a@{domain}.test"})) for domain in domains]).asked()
    shared = Shared(BARE_PROFILE, 1, Matching.EMAIL, {}, None, settings.item_limit, settings.custom_data_limit)
    accepting = Acceptance(settings, Pool(asyncpg.create_pool()), Producer(settings, 4, start_producer), ImportProfiles)

    async def tick() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    ticking = asyncio.create_task(tick())
    found = await accepting._sort(new_id(), asked, shared, Share(Budget(1)))
    ticking.cancel()

    assert (len(found.records), found.rejects) == (600, {})
    assert turns > 30
