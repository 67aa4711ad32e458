"""Producers that send profiles at a pace, whatever is answered."""

import asyncio
import time
from collections import Counter
from itertools import count
from random import Random

import httpx2
import msgspec

from bench.account import PATH, TOKEN, TRIGGER, data
from profuse.plain_http import plain_client

# Most requests are small, most profiles come in large ones.
_SIZES = (1, 1, 1, 1, 1, 1, 1, 1, 10, 10, 10, 10, 100, 100, 100, 100, 1_000, 1_000, 5_000, 10_000)
SMALL = 10
_AT_ONCE = 200
# Launches of one request of eight wait a minute.
_WAITS = (0, 0, 0, 0, 0, 0, 0, 1)
_ANSWERED_WITHIN = 60.0


class Producers:
    """Requests of mixed sizes, over a population that is all known after a while."""

    def __init__(self, api: str, population: int) -> None:
        self.answers: Counter[str] = Counter()
        self.acknowledged = 0
        # Seconds from the moment a small request was to be sent until its answer.
        self.latencies: list[float] = []
        self._url = api + PATH
        self._population = population
        self._random = Random("soak")  # noqa: S311  # the same load in each run
        self._versions = count(1)
        self._under_way: set[asyncio.Task[None]] = set()

    async def flood(self, profiles: int, at_once: int) -> None:
        """As fast as answers come, until so many profiles are sent."""
        end = self.acknowledged + profiles
        async with self._client() as client, asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(self._until(client, end))

    async def pace(self, rate: float, stop: asyncio.Event) -> None:
        """So many profiles a second until `stop` is set; no request waits for another one's answer."""
        due = time.monotonic()
        async with self._client() as client:
            while not stop.is_set():
                size = self._random.choice(_SIZES)
                due += size / rate
                await asyncio.sleep(due - time.monotonic())
                self._start(client, size, due)
            if self._under_way:
                await asyncio.wait(self._under_way)

    def _start(self, client: httpx2.AsyncClient, size: int, due: float) -> None:
        if len(self._under_way) >= _AT_ONCE:
            self.answers["not sent"] += 1
            return
        task = asyncio.create_task(self._send(client, size, due, self._random.choice(_WAITS)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _until(self, client: httpx2.AsyncClient, end: int) -> None:
        while self.acknowledged < end:
            await self._send(client, self._random.choice(_SIZES), time.monotonic(), 0)

    async def _send(self, client: httpx2.AsyncClient, size: int, due: float, minutes: int) -> None:
        try:
            answer = await client.post(self._url, content=self._body(size, minutes))
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
            return
        self.answers[str(answer.status_code)] += 1
        if answer.status_code in (200, 202):
            self.acknowledged += size
            if size <= SMALL:
                self.latencies.append(time.monotonic() - due)

    def _body(self, size: int, minutes: int) -> bytes:
        items = [{"data": data(self._random.randrange(self._population), next(self._versions))} for _ in range(size)]
        return msgspec.json.encode({"token": TOKEN, "trigger_id": TRIGGER, "timeout": {"minutes": minutes}, "data": items})

    def _client(self) -> httpx2.AsyncClient:
        return plain_client(timeout=_ANSWERED_WITHIN, limits=httpx2.Limits(max_connections=None))
