"""Carries a plan out in an asyncio loop: one task for each request that is on its way."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from profuse_client.connecting import told
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.plan import Deliver, Over, Plan, Read, Send, Wait
from profuse_client.results import Entry

R = TypeVar("R")

Post = Callable[[Exchange], Awaitable[Outcome]]
_Flying = set["asyncio.Task[tuple[int, Outcome]]"]
# Items that are read in one go: they are written down meanwhile, and others of the loop want their turn.
_TURN = 500


async def carried_out(
    plan: Plan, items: Iterable[object] | AsyncIterable[object], post: Post, shown: Callable[[Entry], R]
) -> AsyncGenerator[R, None]:
    source = _source(items)
    async with _called_off() as flying:
        while True:
            await _hear(plan, flying, 0.0)
            match plan.step(time.monotonic()):
                case Deliver(entries):
                    for entry in entries:
                        yield shown(entry)
                case Send(number, exchange):
                    flying.add(asyncio.ensure_future(_exchange(post, number, exchange)))
                case Read():
                    await _read(plan, source)
                case Wait(until):
                    await _hear(plan, flying, None if until is None else max(until - time.monotonic(), 0.0))
                case Over():
                    return


@asynccontextmanager
async def _called_off() -> AsyncIterator[_Flying]:
    """What is still on its way when nobody wants it any more ends here."""
    flying = _Flying()
    try:
        yield flying
    finally:
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)


async def _source(items: Iterable[object] | AsyncIterable[object]) -> AsyncIterator[object]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
        return
    for number, item in enumerate(items):
        if number % _TURN == 0:
            await asyncio.sleep(0)
        yield item


async def _read(plan: Plan, source: AsyncIterator[object]) -> None:
    while True:
        try:
            item = await anext(source)
        except StopAsyncIteration:
            return plan.close()
        except Exception as error:  # it is raised again, behind the results of what came before it
            return plan.break_off(error)
        if plan.take(item):
            return None


async def _exchange(post: Post, number: int, exchange: Exchange) -> tuple[int, Outcome]:
    return number, await post(exchange)


async def _hear(plan: Plan, flying: _Flying, seconds: float | None) -> None:
    """All that has come back, or if nothing has, what comes within so many seconds."""
    if not flying:
        await asyncio.sleep(seconds or 0.0)
        return
    back, _ = await asyncio.wait(flying, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    flying -= back
    for task in back:
        told(plan.heard(*task.result(), time.monotonic()))
