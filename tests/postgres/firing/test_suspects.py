"""Launches that are neighbours of one that kills whoever tries it, or that wait while their launchers die of something else."""

import asyncio
from datetime import timedelta

import pytest

from tests.firing import Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World
from tests.unit.launcher.test_sending import until_idle
from workers.launcher.claim.bundles import bundles
from workers.launcher.groups import launches
from workers.launcher.model import Launch

POISON = "poison@example.com"


class Process:
    """A launcher's life: all that it has claimed goes on side by side, until it ends or is killed."""

    def __init__(self, world: World, topic: Topic) -> None:
        self._world = world
        self.launcher = Launcher(world, Remembering(self._send), topic)
        self._delivery = self.launcher.delivery()
        self._poisoned = False
        self._dead = asyncio.Event()

    async def _send(self, launch: Launch) -> None:
        if launch.recipient.address == POISON:
            self._poisoned = True
            self._dead.set()
        # It kills sooner than anybody else's ends who is under way.
        await until_idle()
        if self._poisoned:
            await asyncio.Event().wait()

    async def live(self, until: asyncio.Event | None = None) -> None:
        """Until the poison kills it, or somebody else does."""
        await self._world.pool.execute("UPDATE launches SET run_at = now() WHERE finished_at IS NULL")
        claimed = list(bundles(await claim(self._world, most=100), 100))
        works = [asyncio.create_task(self.launcher.work(*bundle, by=self._delivery)) for bundle in claimed]
        dying = asyncio.create_task((until or self._dead).wait())
        ending = asyncio.ensure_future(asyncio.wait(works))
        await asyncio.wait([dying, ending], return_when=asyncio.FIRST_COMPLETED)
        for task in (dying, ending, *works):
            task.cancel()
        await asyncio.gather(dying, ending, *works, return_exceptions=True)


@pytest.mark.promise("P-LAUNCH-26")
async def test_neighbours_of_a_launch_that_kills_its_launchers_are_sent_whatever_they_died_beside(world: World, topic: Topic) -> None:
    for address in (POISON, *(f"{number}@example.com" for number in range(20))):
        await schedule(world, address)
    lives = 0
    while not (await counts(world))["finished"]:
        await Process(world, topic).live()
        lives += 1

    assert (await counts(world)).items() >= {"launched": 20, "failed": 1}.items()
    assert lives <= 2 * launches.MOST_CLAIMS


@pytest.mark.promise("P-LAUNCH-26", "P-OPS-03")
async def test_what_only_waits_is_not_taken_for_what_its_launchers_died_of(world: World, topic: Topic) -> None:
    counted = []

    async def note(_: Launch) -> None:
        counted.append(await world.pool.fetchval("SELECT claims FROM launches WHERE finished_at IS NULL"))

    await world.pool.execute("UPDATE triggers SET pace = 1")
    await schedule(world, "a@example.com", "b@example.com")
    launcher = Launcher(world, Remembering(note), topic, lease=timedelta(seconds=1))
    for _ in range(2 * launches.MOST_CLAIMS):
        working = await waiting(world, launcher)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    working = await waiting(world, launcher)
    await world.pool.execute("UPDATE triggers SET pace = NULL")
    await working

    assert (await counts(world)).items() >= {"launched": 2, "failed": 0, "finished": True}.items()
    # Whoever begins is counted, before anybody can die of it.
    assert counted == [1, 1]


@pytest.mark.promise("P-LAUNCH-26", "P-OPS-03")
async def test_suspects_that_wait_for_their_pace_take_no_turn_and_are_not_counted(world: World, topic: Topic) -> None:
    await world.pool.execute("UPDATE triggers SET pace = 1")
    for number in range(3):
        await schedule(world, f"{number}@example.com")
    # The minute's launch has gone; two claims came to nothing.
    await world.pool.execute("INSERT INTO paces (name, next_at) SELECT 'trigger ' || id, now() + interval '1 hour' FROM triggers")
    await world.pool.execute("UPDATE launches SET claims = $1", launches.MOST_CLAIMS - 1)
    for _ in range(2):
        killed, process = asyncio.Event(), Process(world, topic)
        living = asyncio.create_task(process.live(killed))
        async with asyncio.timeout(20):
            while [pace.users for pace in process.launcher.sending._paces._each.values()] != [3]:
                await asyncio.sleep(0.05)
        killed.set()
        await living
    await world.pool.execute("UPDATE triggers SET pace = NULL")
    await Process(world, topic).live()

    assert (await counts(world)).items() >= {"launched": 3, "failed": 0, "finished": True}.items()


@pytest.mark.promise("P-LAUNCH-26")
async def test_a_claim_that_came_to_a_mark_is_counted_no_more(world: World, topic: Topic) -> None:
    await schedule(world, None, "b@example.com")
    await world.pool.execute("UPDATE launches SET claims = $1", launches.MOST_CLAIMS - 1)
    counted: dict[str, int] = {}

    async def note(launch: Launch) -> None:
        counted[launch.recipient.address] = await world.pool.fetchval("SELECT claims FROM launches")

    await Launcher(world, Remembering(note), topic, page=1, lease=timedelta(seconds=1)).work_once()

    assert counted == {"b@example.com": 0}


async def waiting(world: World, launcher: Launcher) -> asyncio.Task[None]:
    """Another launcher has them: the first one went at once, the other one waits for a minute, and its claim does not count."""
    await world.pool.execute("UPDATE launches SET run_at = now()")
    (group,) = await claim(world, launcher.lease)
    working = asyncio.create_task(launcher.work(group))
    async with asyncio.timeout(20):
        while await world.pool.fetchval("SELECT done <> B'10' OR claims <> 0 FROM launches"):
            await asyncio.sleep(0.05)
    return working


@pytest.mark.promise("P-LAUNCH-26", "P-LAUNCH-34")
async def test_suspects_that_wait_for_their_turn_take_no_place_of_what_goes_on(world: World, topic: Topic) -> None:
    hangs, released = asyncio.Event(), asyncio.Event()

    async def hang(launch: Launch) -> None:
        if launch.recipient.address == "0@example.com":
            hangs.set()
            await asyncio.wait_for(released.wait(), 60)

    for number in range(6):
        await schedule(world, f"{number}@example.com")
    await world.pool.execute("UPDATE launches SET claims = $1", launches.MOST_CLAIMS - 1)
    # Of eight slots an account has four.
    launcher = Launcher(world, Remembering(hang), topic)
    delivery = launcher.delivery()
    suspects = [asyncio.create_task(launcher.work(group, by=delivery)) for group in await claim(world, most=100)]
    await asyncio.wait_for(hangs.wait(), 20)
    async with asyncio.timeout(5):
        while len(delivery._suspects._lock._waiters or ()) + sum(task.done() for task in suspects) < 5:
            await asyncio.sleep(0.01)
    await schedule(world, "fresh@example.com")
    (fresh,) = await claim(world)
    async with asyncio.timeout(5):
        await launcher.work(fresh, by=delivery)
    meanwhile = launcher.channel.addresses()
    released.set()
    await asyncio.gather(*suspects)

    assert "fresh@example.com" in meanwhile
    assert (await counts(world)).items() >= {"launched": 7, "failed": 0}.items()
