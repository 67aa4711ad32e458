"""Everybody who waits is asked for in one poll."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from ingest.endpoints import completion_poll
from ingest.endpoints.completion_poll import Waiters, pause
from ingest.sql.results import Finished


class Away(Exception):
    """The database does not answer."""


async def test_one_poll_asks_for_all_and_wakes_those_that_are_finished() -> None:
    asked: list[list[bytes]] = []

    async def finished(batches: Sequence[bytes]) -> list[Finished]:
        asked.append(sorted(batches))
        return [Finished(b"a", [{"error": 400}])]

    waiters = Waiters(finished, (Away,))
    async with asyncio.TaskGroup() as tasks:
        first, second, other = (tasks.create_task(waiters.wait(batch)) for batch in (b"a", b"a", b"b"))
        await asyncio.sleep(0)
        await waiters.run_once()
        told = Finished(b"a", [{"error": 400}])
        assert (await first, await second) == (told, told)
        other.cancel()

    assert asked == [[b"a", b"b"]]
    assert other.cancelled()


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize(
    ("poll", "waiting", "seconds"), [(0.001, 1, 0.002), (0.001, 64, 0.0256), (0.001, 500, 0.1), (0.05, 1, 0.1), (8, 1, 0.1)]
)
def test_polls_take_a_third_of_the_time_and_are_for_many_where_many_wait(poll: float, waiting: int, seconds: float) -> None:
    assert pause(poll, waiting) == pytest.approx(seconds)


async def test_who_waits_is_looked_for_as_soon_as_something_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion_poll, "_UNTOLD", 3600.0)
    done: list[bytes] = []

    async def finished(batches: Sequence[bytes]) -> list[Finished]:
        return [Finished(batch, None) for batch in batches if batch in done]

    waiters = Waiters(finished, (Away,))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(waiters.run())
        waiting = tasks.create_task(waiters.wait(b"a"))
        await asyncio.sleep(0)
        done.append(b"a")
        waiters.hear()
        assert await waiting == Finished(b"a", None)
        # Of what was finished before he came nobody tells.
        done.append(b"b")
        other = tasks.create_task(waiters.wait(b"c"))
        assert await waiters.wait(b"b") == Finished(b"b", None)
        other.cancel()
        polling.cancel()


async def test_what_is_finished_during_a_look_is_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion_poll, "_UNTOLD", 3600.0)
    looks = 0

    async def finished(batches: Sequence[bytes]) -> list[Finished]:
        nonlocal looks
        looks += 1
        waiters.hear()
        return [Finished(batch, None) for batch in batches] if looks > 1 else []

    waiters = Waiters(finished, (Away,))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(waiters.run())
        assert await waiters.wait(b"a") == Finished(b"a", None)
        polling.cancel()


async def test_a_hint_that_is_lost_costs_no_more_than_the_next_look() -> None:
    looks = 0

    async def finished(batches: Sequence[bytes]) -> list[Finished]:
        nonlocal looks
        looks += 1
        return [Finished(batch, None) for batch in batches] if looks == 3 else []

    waiters = Waiters(finished, (Away,))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(waiters.run())
        await waiters.wait(b"a")
        polling.cancel()

    assert looks == 3


async def test_a_poll_that_fails_is_made_again_after_a_longer_pause() -> None:
    polls = 0
    began = time.monotonic()

    async def finished(batches: Sequence[bytes]) -> list[Finished]:
        nonlocal polls
        polls += 1
        if polls == 1:
            raise Away
        return [Finished(batch, None) for batch in batches]

    waiters = Waiters(finished, (Away,))
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        polling = tasks.create_task(waiters.run())
        await waiters.wait(b"a")
        polling.cancel()

    assert polls == 2
    assert time.monotonic() - began >= 1


async def test_who_waits_is_told_that_the_gateway_leaves_and_so_is_who_comes() -> None:
    async def finished(batches: Sequence[bytes]) -> list[Finished]:
        return []

    waiters = Waiters(finished, (Away,))
    waiting = asyncio.create_task(waiters.wait(b"a"))
    await asyncio.sleep(0)
    waiters.leave()

    assert (await waiting, await waiters.wait(b"b")) == (None, None)
