"""Postgres as every process meets it, and the pool of those that work in the background."""

import asyncio

import asyncpg

from schemas.settings import Settings

# InternalClientError: a connection was ended while it was idle, and asyncpg has read why but not yet that it is closed.
_CLIENT = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

POSTGRES_ERRORS = (asyncpg.PostgresError, *_CLIENT)
"""What a statement may raise, a missing column included; `runtime.trouble` tells a database that is away from one that refuses."""

SILENT = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, *_CLIENT)
"""What it raises when no server spoke, or one that stops or starts."""

# For a new connection.
_CONNECTED_WITHIN = 10.0
# For each answer: longer than any transaction may take there, and short enough for a loop to be seen turning.
_ANSWERED_WITHIN = 35.0


async def open_pool(settings: Settings, size: int = 4, **server_settings: str) -> asyncpg.Pool:
    """A pool whose plans never scan a table that is small today: they would be kept when it has grown."""
    options = settings.postgres_options()
    options["server_settings"] |= {"enable_seqscan": "off", "jit": "off", **server_settings}
    limits = {"timeout": _CONNECTED_WITHIN, "command_timeout": _ANSWERED_WITHIN}
    return await asyncpg.create_pool(**options, **limits, min_size=0, max_size=size, reset=unchanged)


async def unchanged(_: asyncpg.Connection) -> None:
    """For pools whose connections are given back as they were lent: asyncpg would spend a statement on each time.

    An open transaction is rolled back all the same. Whoever sets something for the session, or takes a lock of it, undoes that.
    """


async def ask(pool: asyncpg.Pool) -> None:
    """Ask the server for an answer; whoever stops waiting for it is free at once."""
    async with pool.acquire() as connection:
        try:
            await connection.execute("SELECT 1")
        except asyncio.CancelledError:
            # Given back in the middle of a question it would be waited for, until a server that is frozen cancels that.
            connection.terminate()
            raise


def affected(status: str) -> int:
    """How many rows a statement was about, as its answer ends."""
    return int(status.rpartition(" ")[2])
