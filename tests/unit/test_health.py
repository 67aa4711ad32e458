"""What the health port of a process answers."""

import re

import httpx
import pytest

from runtime.health import application
from schemas import metrics


class Room:
    def __init__(self, stuck: list[str], away: list[str]) -> None:
        self._stuck, self._away = stuck, away

    def alive(self) -> list[str]:
        return self._stuck

    async def ready(self) -> list[str]:
        return self._away


async def _get(room: Room, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(room)), base_url="http://health") as client:
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
