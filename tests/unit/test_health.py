"""What the health port of a process answers."""

import asyncio
import re
import time

import httpx2
import pytest

from profuse.plain_http import plain_client
from runtime import loop_watch
from runtime.health import application
from schemas import metrics


class Room:
    def __init__(self, stuck: list[str], away: list[str]) -> None:
        self._stuck, self._away = stuck, away

    def alive(self) -> list[str]:
        return self._stuck

    async def ready(self) -> list[str]:
        return self._away


async def _get(room: Room, path: str) -> httpx2.Response:
    async with plain_client(transport=httpx2.ASGITransport(application(room)), base_url="http://health") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("room", "path", "status", "problems"),
    [
        (Room([], ["postgres"]), "/healthz", 200, []),
        (Room(["stuck"], []), "/healthz", 503, ["stuck"]),
        (Room(["stuck"], []), "/readyz", 200, []),
        (Room([], ["postgres"]), "/readyz", 503, ["postgres"]),
    ],
)
async def test_progress_and_edges_are_told_apart(room: Room, path: str, status: int, problems: list[str]) -> None:
    answer = await _get(room, path)

    assert (answer.status_code, answer.json()) == (status, {"problems": problems})


async def test_metrics_are_those_of_the_process() -> None:
    metrics.SCHEDULED.inc()
    answer = await _get(Room([], []), "/metrics")

    assert re.search(r"^profuse_launches_scheduled_total [1-9]", answer.text, re.MULTILINE)


@pytest.mark.promise("P-WATCH-01")
async def test_metrics_say_how_many_problems_the_pages_tell() -> None:
    trouble, well = [(await _get(room, "/metrics")).text for room in (Room(["stuck"], ["postgres", "kafka"]), Room([], []))]

    assert ['profuse_problems{page="healthz"} 1.0' in trouble, 'profuse_problems{page="readyz"} 2.0' in trouble] == [True, True]
    assert ['profuse_problems{page="healthz"} 0.0' in well, 'profuse_problems{page="readyz"} 0.0' in well] == [True, True]


@pytest.mark.promise("P-WATCH-01")
async def test_it_is_seen_how_late_a_busy_loop_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_watch, "EVERY", 0.01)
    before = metrics.LOOP_LATE._sum.get()
    async with loop_watch.watched_loop():
        # Once to begin, and once to be late.
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - it keeps the loop busy on purpose
        await asyncio.sleep(0.05)

    assert metrics.LOOP_LATE._sum.get() - before >= 0.15
