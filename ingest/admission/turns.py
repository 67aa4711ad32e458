"""Work that takes seconds: of each account one at a time, so that none keeps the others waiting, however much it asks for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

# Of all accounts.
AT_ONCE = 2
# Of one account, with what is done.
_MOST = 8
_PATIENCE = 8.0


class NoTurn(Exception):
    """Too many of the account's wait, or its turn does not come soon."""


@dataclass
class _Own:
    """An account's."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    asking: int = 0


class Turns:
    """Whoever waits is served in the order in which he came, of each account one."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        # Of those who ask.
        self._accounts: dict[int, _Own] = {}

    @asynccontextmanager
    async def of(self, account: int) -> AsyncIterator[None]:
        """Raises `NoTurn`."""
        own = self._accounts.setdefault(account, _Own())
        if own.asking == _MOST:
            raise NoTurn
        own.asking += 1
        try:
            async with AsyncExitStack() as held:
                await self._wait(own, held)
                yield
        finally:
            own.asking -= 1
            if not own.asking:
                del self._accounts[account]

    async def _wait(self, own: _Own, held: AsyncExitStack) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                # Its own first: who waits for the others stands among them once.
                await held.enter_async_context(own.turn)
                await held.enter_async_context(self._turns)
        except TimeoutError:
            raise NoTurn from None
