"""Everybody who waits is asked for in one poll."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from ingest.endpoints.completion import Waiters, pause
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
        assert (await first).entries == (await second).entries == [{"error": 400}]
        other.cancel()

    assert asked == [[b"a", b"b"]]
    assert other.cancelled()


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize(("poll", "seconds"), [(0.001, 0.025), (0.05, 0.1), (8, 0.1)])
def test_polls_take_a_third_of_the_time_and_are_never_far_apart(poll: float, seconds: float) -> None:
    assert pause(poll) == seconds


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
