"""Carries a plan out in an asyncio loop: one task reads the input, and there is one for each request that is on its way."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import suppress
from typing import Any, TypeVar

from profuse_client.connecting import told
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.plan import Deliver, Over, Plan, Read, Send, Wait
from profuse_client.results import Entry

R = TypeVar("R")

Post = Callable[[Exchange], Awaitable[Outcome]]
# Seconds of reading in one go: what is read is written down meanwhile, and others of the loop want their turn.
_TURN = 0.01


async def carried_out(
    plan: Plan, items: Iterable[object] | AsyncIterable[object], post: Post, shown: Callable[[Entry], R]
) -> AsyncGenerator[R, None]:
    tasks = _Tasks(plan)
    tasks.start(tasks.read(items))
    try:
        while True:
            match plan.step(time.monotonic()):
                case Deliver(entries):
                    for entry in entries:
                        yield shown(entry)
                case Send(number, exchange):
                    tasks.start(tasks.exchange(post, number, exchange))
                case Read(until):
                    tasks.wanted.set()
                    await tasks.news(until)
                case Wait(until):
                    await tasks.news(until)
                case Over():
                    return
    finally:
        await tasks.call_off()


class _Tasks:
    """What they read and hear they tell the plan themselves; who carries it out waits until one has."""

    def __init__(self, plan: Plan) -> None:
        # Whether the plan wants more of the input.
        self.wanted = asyncio.Event()
        self._plan = plan
        self._running: set[asyncio.Task[None]] = set()
        self._told = asyncio.Event()
        self._called_off = False

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._told.set())
        self._running.add(task)

    async def news(self, until: float | None) -> None:
        """As soon as there is any, and at the latest then; raises what a task raised."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if until is None else until - time.monotonic()):
                await self._told.wait()
        self._told.clear()
        over = {task for task in self._running if task.done()}
        self._running -= over
        for task in over:
            task.result()

    async def call_off(self) -> None:
        """What is still on its way when nobody wants it any more ends here."""
        self._called_off = True
        for task in self._running:
            task.cancel()
        for ended in await asyncio.gather(*self._running, return_exceptions=True):
            if isinstance(ended, Exception):
                asyncio.get_running_loop().call_exception_handler({"message": "raised while it was called off", "exception": ended})

    async def exchange(self, post: Post, number: int, exchange: Exchange) -> None:
        outcome = await post(exchange)
        told(self._plan.heard(number, outcome, time.monotonic()))

    async def read(self, items: Iterable[object] | AsyncIterable[object]) -> None:
        """In one task from beginning to end: what an async source has entered (a context, a timeout) it leaves in the same."""
        source = _source(items)
        try:
            try:
                await self._take_all(source)
            finally:
                if hasattr(source, "aclose"):
                    await source.aclose()
        except Exception as error:  # it is raised again, behind the results of what came before it
            if self._called_off:
                raise
            self._plan.break_off(error)
        else:
            self._plan.close()

    async def _take_all(self, source: AsyncIterator[object]) -> None:
        began = time.monotonic()
        # It may have swallowed that it was called off, as `wait_for` may before Python 3.12.
        while not self._called_off:
            await self.wanted.wait()
            try:
                item = await anext(source)
            except StopAsyncIteration:
                return
            if self._plan.take(item):
                self.wanted.clear()
                self._told.set()
            if time.monotonic() - began > _TURN:
                await asyncio.sleep(0)
                began = time.monotonic()


def _source(items: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[object]:
    return aiter(items) if isinstance(items, AsyncIterable) else _asynchronous(items)


async def _asynchronous(items: Iterable[object]) -> AsyncIterator[object]:
    source = iter(items)
    try:
        for item in source:
            yield item
    finally:
        if isinstance(source, Generator):
            source.close()
