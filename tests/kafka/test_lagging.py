"""Whether there is work for a partition that stands still is asked of both servers, with an end to the wait."""

import asyncio
import socket
from collections.abc import Iterable

import pytest

from schemas.settings import Settings
from schemas.topics import IMPORTS
from store.positions import Partition
from tests.kafka.conftest import Bench
from workers.exactly_once import Stuck, liveness
from workers.exactly_once.liveness import CONFIRMED, LOOKS, Mark, lagging

COUNT = 50
NOWHERE = {"kafka": "127.0.0.1:1", "postgres": "postgresql://postgres@127.0.0.1:1/postgres"}


@pytest.mark.promise("P-OPS-23")
@pytest.mark.parametrize("away", ["kafka", "postgres"])
async def test_nothing_lags_while_a_server_is_away(bench: Bench, away: str) -> None:
    await bench.feed(["1"] * COUNT)
    partitions = [(bench.settings.topic(IMPORTS.name), number) for number in range(bench.settings.partitions)]

    assert await lagging(bench.settings, partitions) == set(partitions)
    assert await lagging(bench.settings.model_copy(update={away: NOWHERE[away]}), partitions) == set()


async def test_a_partition_that_has_no_position_does_not_lag(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    partitions = [(bench.settings.topic(IMPORTS.name), number) for number in range(bench.settings.partitions)]
    await bench.pool.execute("DELETE FROM progress WHERE partition = 0")

    assert await lagging(bench.settings, partitions) == set(partitions[1:])


@pytest.mark.promise("P-OPS-23")
@pytest.mark.parametrize("away", ["kafka", "postgres"])
async def test_a_server_that_never_answers_is_not_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch, away: str) -> None:
    monkeypatch.setattr(liveness, "_ANSWERING", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        elsewhere = {away: NOWHERE[away].replace(":1", f":{silent.getsockname()[1]}")}
        async with asyncio.timeout(20):
            lags = await lagging(bench.settings.model_copy(update=elsewhere), [(bench.settings.topic(IMPORTS.name), 0)])

    assert lags == set()


@pytest.mark.promise("P-OPS-23")
async def test_what_did_not_lag_has_another_minute_before_it_is_asked_for_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, asked = 0, []

    def standing() -> dict[Partition, Mark]:
        nonlocal looks
        looks += 1
        return {(bench.settings.topic(IMPORTS.name), 0): (0, 0)}

    async def noted(settings: Settings, partitions: Iterable[Partition]) -> set[Partition]:
        asked.append(looks)
        return await lagging(settings, partitions) if len(asked) == 1 else set(partitions)

    monkeypatch.setattr(liveness, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(liveness, "lagging", noted)
    with pytest.raises(Stuck):
        await liveness.watch(bench.settings, standing)

    again = 2 * (LOOKS + 1)
    assert asked == [LOOKS + 1, *range(again, again + CONFIRMED + 1)]


@pytest.mark.promise("P-OPS-23")
async def test_work_that_came_a_moment_ago_makes_nobody_stuck(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def standing() -> dict[Partition, Mark]:
        # It is processed between two looks.
        return {(bench.settings.topic(IMPORTS.name), 0): (asked, 0)}

    async def just_now(_: Settings, partitions: Iterable[Partition]) -> set[Partition]:
        nonlocal asked
        asked += 1
        return set(partitions)

    monkeypatch.setattr(liveness, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(liveness, "lagging", just_now)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await liveness.watch(bench.settings, standing)

    assert asked > 1
