"""Producers: all know the same subjects, each sends one request after the other, and repeats what was not acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from random import Random

import httpx2

from profuse.plain_http import plain_client
from profuse.torture.model import Request
from profuse.torture.population import Population
from profuse.torture.requests import body

PATH = "/api/v1.1/campaigns/triggers/import_and_start_batch"

_LARGEST = 2_000
# Longer than a gateway needs to answer 202.
_ANSWERED_WITHIN = 20.0
# A request that nobody took for so long is given up; what came of it is then anybody's guess.
_PATIENCE = 60.0
_PAUSE = 0.2
# One acknowledged request of so many is repeated all the same; starts what imports start; leaves by webhooks; brings content and a file.
_REPEATED, _STARTING, _CALLING, _BRINGING = 10, 4, 8, 5


class Producer:
    """Sends while `at_work` is set, until it is told to stop; `surprises` are answers that no fault explains."""

    def __init__(self, api: str, number: int, random: Random, waits: Sequence[int], population: Population) -> None:
        self.requests: list[Request] = []
        self.answers: Counter[str] = Counter()
        self.surprises: list[str] = []
        self._url = api + PATH
        self._number = number
        self._random = random
        # Minutes that launches may have to wait.
        self._waits = waits
        self._population = population

    @property
    def cut(self) -> int:
        """Requests that ended without an answer."""
        return sum(count for answer, count in self.answers.items() if not answer.isdigit())

    async def run(self, at_work: asyncio.Event, stop: asyncio.Event) -> None:
        async with plain_client(timeout=_ANSWERED_WITHIN) as client:
            while not stop.is_set():
                await at_work.wait()
                request = self._next()
                self.requests.append(request)
                await self._deliver(client, request)
                if request.entries is not None and self._random.randrange(_REPEATED) == 0:
                    await self._repeat(client, request)
                self._let_go(request)

    def _next(self) -> Request:
        key = self._population.key(self._random)
        items = [self._population.item(self._random, key) for _ in range(int(_LARGEST ** self._random.random()))]
        request = Request(f"torture-{self._number}-{len(self.requests)}", items, key)
        request.skip_triggers = self._random.randrange(_STARTING) > 0
        request.by_webhook = self._random.randrange(_CALLING) == 0
        request.has_files = not request.by_webhook and self._random.randrange(_BRINGING) == 0
        request.body = body(request, self._random.choice(self._waits))
        request.sent = time.time()
        return request

    def _let_go(self, request: Request) -> None:
        """Nobody will send it again, and there will be thousands."""
        request.body = b""
        for subject in [item.subject for item in request.items if item.founds]:
            self._population.met(self._random, subject)

    async def _deliver(self, client: httpx2.AsyncClient, request: Request) -> None:
        """Until it is acknowledged, or nobody is patient any more."""
        given_up = time.monotonic() + _PATIENCE
        while time.monotonic() < given_up:
            if await self._is_taken(client, request):
                return
            await asyncio.sleep(_PAUSE)

    async def _is_taken(self, client: httpx2.AsyncClient, request: Request) -> bool:
        try:
            answer = await client.post(self._url, content=request.body, headers={"Request-ID": request.id})
        except httpx2.TransportError as error:
            self.answers[type(error).__name__] += 1
            return False
        self.answers[str(answer.status_code)] += 1
        if answer.status_code in (200, 202):
            self._note(request, answer)
            return True
        if answer.status_code not in (409, 429, 503) or "Retry-After" not in answer.headers:
            self.surprises.append(f"{request.id}: {answer.status_code} {answer.text[:200]}")
        return False

    async def _repeat(self, client: httpx2.AsyncClient, request: Request) -> None:
        before = request.entries
        if await self._is_taken(client, request) and request.entries != before and not any(item.is_refused for item in request.items):
            self.surprises.append(f"{request.id}: a repeat was answered otherwise")

    def _note(self, request: Request, answer: httpx2.Response) -> None:
        now = time.time()
        request.taken = min(request.taken, now)
        if answer.status_code == httpx2.codes.OK:
            request.applied = min(request.applied, now)
            request.entries = answer.json()["result"]
