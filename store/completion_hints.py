"""A hint through Postgres that a batch is finished, so that its caller need not wait for the next look, as he does if it is lost."""

import asyncio
from collections.abc import Callable

import asyncpg

from runtime import retrying
from runtime.postgres import POSTGRES_ERRORS
from runtime.racing import rest
from schemas.settings import Settings

_AGAIN_AFTER = 1.0
_CONNECTED_WITHIN = 10.0
_ASKED_EVERY = 30.0
_ANSWERED_WITHIN = 10.0

# A commit that nobody waits for: the lock under which hints are told is everybody's, and none is worth anything after a crash.
_TELL = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')"


async def tell(pool: asyncpg.Pool, settings: Settings) -> None:
    """To be called after the commit, for whoever is told looks at once."""
    try:
        await pool.execute(_TELL, _channel(settings))
    except POSTGRES_ERRORS as error:
        retrying.tell("hint_lost", error)


async def listen(settings: Settings, heard: Callable[[], None]) -> None:
    """Call `heard` whenever somebody tells, until cancelled; over a connection of its own, which is opened again when it ends."""
    while True:
        try:
            await _listened(settings, heard)
        except POSTGRES_ERRORS as error:
            retrying.tell("hints_wait", error)
        # What was told meanwhile.
        heard()
        await asyncio.sleep(_AGAIN_AFTER)


async def _listened(settings: Settings, heard: Callable[[], None]) -> None:
    connection = await asyncpg.connect(**settings.postgres_options(), timeout=_CONNECTED_WITHIN)
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    try:
        await connection.add_listener(_channel(settings), lambda *_: heard())
        while not ended.is_set():
            await rest(ended, _ASKED_EVERY)
            # Who only listens never learns that nobody is there any more.
            if not ended.is_set():
                await connection.execute("SELECT 1", timeout=_ANSWERED_WITHIN)
    finally:
        connection.terminate()


def _channel(settings: Settings) -> str:
    return f"{settings.prefix}.answers"
