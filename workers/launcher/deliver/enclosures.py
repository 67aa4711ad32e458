"""The files of mails, encoded: once for all groups of a batch that are under way, and within a budget of bytes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from workers.launcher.channels.email import enclosing

_ASK_EVERY = 1.0

_FILES = "SELECT position, name, mimetype, octet_length(data) AS size FROM attachments WHERE batch = $1 ORDER BY position"
_SLICE = "SELECT substring(data FROM $3 FOR $4) FROM attachments WHERE batch = $1 AND position = $2"


class ByteBudget:
    """Bytes that may be held at a time; whoever needs more than is left waits.

    An account may hold half of it, so that the slow mails of one never keep all others waiting; or one thing of any size.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._used: Counter[int] = Counter()
        self._changed = asyncio.Event()

    async def take(self, account: int, size: int) -> None:
        while not self._has(account, size):
            self._changed.clear()
            await self._changed.wait()
        self._used[account] += size

    def give_back(self, account: int, size: int) -> None:
        self._used[account] -= size
        # Drops the accounts that hold nothing.
        self._used = +self._used
        self._changed.set()

    def _has(self, account: int, size: int) -> bool:
        own, all_ = self._used[account], self._used.total()
        return (not own or own + size <= self._most // 2) and (not all_ or all_ + size <= self._most)


@dataclass(frozen=True)
class _Files:
    """Encoded files, in pieces that follow one another, and what gives their room back."""

    pieces: tuple[bytes, ...]
    release: ExitStack


@dataclass
class _Shared:
    """What all groups of one batch use together."""

    encoding: asyncio.Task[_Files]
    users: int = 0


class Enclosures:
    """Lends the encoded files of batches."""

    def __init__(self, pool: asyncpg.Pool, most: int) -> None:
        self._pool = pool
        self._budget = ByteBudget(most)
        # One file at a time: encoding takes a processor, and some memory besides.
        self._encoder = asyncio.Lock()
        self._shared: dict[bytes, _Shared] = {}

    @asynccontextmanager
    async def of(self, account: int, batch: bytes, waits: Callable[[], bool]) -> AsyncIterator[Sequence[bytes] | None]:
        """The parts of the batch's files, once there is room and the encoder has been; `waits` is asked each second meanwhile.

        None when it said no.
        """
        shared = self._shared.get(batch)
        if shared is None:
            shared = self._shared[batch] = _Shared(asyncio.create_task(self._encoded(account, batch)))
        shared.users += 1
        try:
            yield shared.encoding.result().pieces if await _done(shared.encoding, waits) else None
        finally:
            shared.users -= 1
            if not shared.users:
                del self._shared[batch]
                _let_go(shared.encoding)

    async def _encoded(self, account: int, batch: bytes) -> _Files:
        files = await self._pool.fetch(_FILES, batch)
        size = sum(enclosing.weight(file["name"], file["size"]) for file in files)
        await self._budget.take(account, size)
        with ExitStack() as release:
            release.callback(self._budget.give_back, account, size)
            pieces = [piece for file in files async for piece in self._part(batch, file)]
            return _Files((*pieces, enclosing.END), release.pop_all())

    async def _part(self, batch: bytes, file: asyncpg.Record) -> AsyncIterator[bytes]:
        yield enclosing.head(file["name"], file["mimetype"])
        async with self._encoder:
            for start in range(0, max(file["size"], 1), enclosing.SLICE):
                data = await self._pool.fetchval(_SLICE, batch, file["position"], start + 1, enclosing.SLICE)
                # Not in the loop: all other launches would stand meanwhile.
                yield await asyncio.to_thread(enclosing.encoded, data or b"")


async def _done(encoding: asyncio.Task[_Files], waits: Callable[[], bool]) -> bool:
    # Looked at and never cancelled: others may go on with it when this group is given up.
    while not encoding.done():
        await asyncio.wait({encoding}, timeout=_ASK_EVERY)
        if not encoding.done() and not waits():
            return False
    return True


def _let_go(encoding: asyncio.Task[_Files]) -> None:
    if encoding.cancel():
        # A connection that is cut while it is given back ends it with another error, which nobody waits for.
        encoding.add_done_callback(lambda given_up: given_up.cancelled() or given_up.exception())
    elif encoding.exception() is None:
        encoding.result().release.close()
    # Else it gave its room back itself.
