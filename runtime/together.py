"""One statement for all who ask for the same kind of thing at the same time."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, TypeVar

import asyncpg

from runtime.coalescing import Coalescing
from runtime.postgres import SILENT

T = TypeVar("T")
R = TypeVar("R")
Statement = Callable[[asyncpg.Connection, Sequence[T]], Awaitable[Sequence[R]]]
"""What is asked for many at once; the answers stand in the order of the questions."""


class Together:
    """Asks through connections that are borrowed for each statement, of one kind over so many `lanes` at a time."""

    def __init__(self, borrow: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]], lanes: int) -> None:
        self._borrow = borrow
        self._lanes = lanes
        self._asked: dict[Statement[Any, Any], Coalescing[Any, Any]] = {}

    async def ask(self, statement: Statement[T, R], thing: T) -> R:
        """The statement's answer to this one; who asks while others wait for theirs is asked for with all who do."""
        answer: R = await self._of(statement).do(thing)
        return answer

    async def ask_each(self, statement: Statement[T, R], things: Sequence[T]) -> Sequence[R]:
        """The same, of several."""
        return await self._of(statement).do_each(things)

    def _of(self, statement: Statement[T, R]) -> Coalescing[T, R]:
        if statement not in self._asked:
            self._asked[statement] = Coalescing(partial(self._for_all, statement), SILENT, self._lanes)
        return self._asked[statement]

    async def close(self) -> None:
        for coalescing in self._asked.values():
            await coalescing.close()

    async def _for_all(self, statement: Statement[T, R], things: Sequence[T]) -> Sequence[R]:
        async with self._borrow() as connection:
            return await statement(connection, things)
