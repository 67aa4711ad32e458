"""Producers: each owns its profiles, sends one request after the other, and repeats what was not acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count
from random import Random
from typing import Any

import httpx
import msgspec

from profuse.torture.account import TOKEN, TRIGGER
from profuse.torture.model import Item, Request

PATH = "/api/v1.1/campaigns/triggers/import_and_start_batch"

_PROFILES = 3_000
_LARGEST = 2_000
# Longer than a gateway needs to answer 202.
_ANSWERED_WITHIN = 20.0
# A request that nobody took for so long is given up; what came of it is then anybody's guess.
_PATIENCE = 60.0
_PAUSE = 0.2
# One acknowledged request of so many is repeated all the same.
_REPEATED = 10


class Producer:
    """Sends until it is told to stop; `surprises` are answers that no fault explains."""

    def __init__(self, api: str, number: int, random: Random, waits: Sequence[int]) -> None:
        self.requests: list[Request] = []
        self.answers: Counter[str] = Counter()
        self.surprises: list[str] = []
        self._url = api + PATH
        self._number = number
        self._random = random
        # Minutes that launches may have to wait.
        self._waits = waits
        self._versions = count(1)

    @property
    def cut(self) -> int:
        """Requests that ended without an answer."""
        return sum(count for answer, count in self.answers.items() if not answer.isdigit())

    async def run(self, stop: asyncio.Event) -> None:
        async with httpx.AsyncClient(timeout=_ANSWERED_WITHIN) as client:
            while not stop.is_set():
                request = self._next()
                self.requests.append(request)
                await self._deliver(client, request)
                if request.profiles is not None and self._random.randrange(_REPEATED) == 0:
                    await self._repeat(client, request)
                if request.profiles is not None:
                    # Nobody will send it again, and there will be thousands.
                    request.body = b""

    async def ask_again(self) -> None:
        """Once all is over: what was answered 202 has ids too."""
        async with httpx.AsyncClient(timeout=_ANSWERED_WITHIN) as client:
            for request in self.requests:
                if request.acknowledged and request.profiles is None:
                    await self._deliver(client, request)

    def _next(self) -> Request:
        size = int(_LARGEST ** self._random.random())
        items = [Item(self._number, self._random.randrange(_PROFILES), next(self._versions)) for _ in range(size)]
        timeout = {"minutes": self._random.choice(self._waits)}
        data = [{"data": item.data()} for item in items]
        body = msgspec.json.encode({"token": TOKEN, "trigger_id": TRIGGER, "timeout": timeout, "data": data})
        return Request(f"torture-{self._number}-{len(self.requests)}", items, body)

    async def _deliver(self, client: httpx.AsyncClient, request: Request) -> None:
        """Until it is acknowledged, or nobody is patient any more."""
        given_up = time.monotonic() + _PATIENCE
        while time.monotonic() < given_up:
            if await self._is_taken(client, request):
                return
            await asyncio.sleep(_PAUSE)

    async def _is_taken(self, client: httpx.AsyncClient, request: Request) -> bool:
        try:
            answer = await client.post(self._url, content=request.body, headers={"Request-ID": request.id})
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
            return False
        self.answers[str(answer.status_code)] += 1
        if answer.status_code in (200, 202):
            self._note(request, answer.status_code, answer.json())
            return True
        if answer.status_code not in (409, 429, 503) or "Retry-After" not in answer.headers:
            self.surprises.append(f"{request.id}: {answer.status_code} {answer.text[:200]}")
        return False

    async def _repeat(self, client: httpx.AsyncClient, request: Request) -> None:
        before = request.profiles
        if await self._is_taken(client, request) and request.profiles != before:
            self.surprises.append(f"{request.id}: a repeat was answered with other ids")

    def _note(self, request: Request, status: int, body: dict[str, Any]) -> None:
        request.acknowledged = True
        if status == 200:
            request.profiles = [entry.get("profile_id", "") for entry in body["result"]]
