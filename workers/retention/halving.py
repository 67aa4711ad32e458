"""How much is deleted at a time: what takes too long is tried again with half of it."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

T = TypeVar("T")

# Of a statement of a sweep: three of them are a transaction, which may take 30 s, and takes its connection along when it is ended.
LIMIT_MS = 8_000
# What took less of the limit than that may be twice as much.
_QUICK = 1 / 4


class Portion:
    """A number of rows that finds the size which the server gets through in time."""

    def __init__(self, most: int) -> None:
        self._most = self.size = most

    async def of(self, step: Callable[[int], Awaitable[T]], left: int | None = None) -> T:
        """What the step says to so many rows, or to those that are left; raises `QueryCanceledError` where a single one is too much."""
        while True:
            size = self.size if left is None else min(self.size, left)
            began = time.monotonic()
            try:
                done = await step(size)
            except asyncpg.QueryCanceledError:
                # Given as many again, each sweep would end here, for ever.
                if size == 1:
                    raise
                self.size = size // 2
            else:
                if time.monotonic() - began < _QUICK * LIMIT_MS / 1000:
                    self.size = min(self._most, 2 * self.size)
                return done


async def until_none(step: Callable[[int], Awaitable[int]], most: int) -> int:
    """How many rows are gone when the step finds no more."""
    portion, total = Portion(most), 0
    while gone := await portion.of(step):
        total += gone
    return total
