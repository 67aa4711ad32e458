"""A launcher never believes longer in its lease than the database does: it is counted from before it was asked for."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from runtime.producer import Publisher
from runtime.together import Together
from schemas.settings import MIB, Settings
from tests.firing import claim
from tests.launching import NOBODY, Remembering, World, knowing, new_world
from workers.launcher.claim.claim_loop import ClaimLoop
from workers.launcher.clock import clock
from workers.launcher.deliver.delivery import Delivery, Looked
from workers.launcher.deliver.enclosures import Enclosures
from workers.launcher.deliver.work import Work
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group, NewGroup
from workers.launcher.groups.leases import Lease

LEASE = timedelta(seconds=30)
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    world = await new_world(pool)
    async with pool.acquire() as connection:
        await launches.insert(connection, [NewGroup(await world.batch(), world.trigger, 0, 0, [0], NOBODY)])
    return world


async def until_waited_for(holder: asyncpg.Connection, world: World) -> float:
    """When somebody had been waiting for a lock that is held."""
    async with asyncio.timeout(10):
        while not await world.pool.fetchval(_WAITING, holder.get_server_pid()):
            await asyncio.sleep(0.01)
    return clock()


@pytest.mark.promise("P-LAUNCH-16")
async def test_a_renewal_counts_from_before_it_was_sent(world: World) -> None:
    (group,) = await claim(world, LEASE, 1)
    lease = Lease(LEASE, clock() - 20, [group])
    async with asyncio.TaskGroup() as tasks, world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM launches FOR UPDATE")
        tasks.create_task(lease.renew_if_due(world.pool))
        asked_before = await until_waited_for(connection, world)

    assert lease._ends < asked_before + LEASE.total_seconds()


class Noting(Delivery):
    """Keeps the leases that it is given, and does nothing."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        super().__init__(
            settings,
            pool,
            Together(pool.acquire, 1),
            Publisher(settings).publish,
            knowing({"email": Remembering()}, pool),
            Enclosures(pool, MIB),
        )
        self.lease: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()

    async def work(self, groups: Sequence[Group], lease: Lease, looked: Looked, stop: asyncio.Event) -> None:
        self.lease.set_result(lease)
        stop.set()


@pytest.mark.promise("P-LAUNCH-16")
async def test_a_claim_counts_from_before_it_was_sent(tables: Settings, world: World) -> None:
    settings = tables.model_copy(update={"lease": LEASE})
    delivery = Noting(settings, world.pool)
    async with asyncio.TaskGroup() as loops, world.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE launches IN ACCESS EXCLUSIVE MODE")
        claim_loop = ClaimLoop(settings, world.pool, delivery)
        # So that it claims without having looked, which would wait, too.
        claim_loop.wake({(1, world.trigger)})
        claim_loop._looked = clock()
        loops.create_task(claim_loop.run(asyncio.Event()))
        asked_before = await until_waited_for(connection, world)

    assert delivery.lease.result()._ends < asked_before + LEASE.total_seconds()


@pytest.mark.promise("P-LAUNCH-16")
def test_nothing_begins_that_the_lease_hardly_covers() -> None:
    assert Lease(LEASE, clock(), []).allows()
    assert not Lease(LEASE, clock() - 23, []).allows()


@pytest.mark.promise("P-LAUNCH-16")
async def test_work_is_closed_while_its_lease_is_nearly_over(world: World) -> None:
    (group,) = await claim(world, LEASE)

    assert Work(group, Lease(LEASE, clock(), [group]), asyncio.Event()).open()
    assert not Work(group, Lease(LEASE, clock() - 23, [group]), asyncio.Event()).open()
