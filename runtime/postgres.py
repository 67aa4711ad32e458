"""Postgres as every process meets it, and the pool of those that work in the background."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from schemas.settings import Settings

# InternalClientError: a connection was ended while it was idle, and asyncpg has read why but not yet that it is closed.
_CLIENT = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

POSTGRES_ERRORS = (asyncpg.PostgresError, *_CLIENT)
"""What a statement may raise, a missing column included; `runtime.trouble` tells a database that is away from one that refuses."""

SILENT = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, *_CLIENT)
"""What it raises when no server spoke, or one that stops or starts."""

# What a server says of itself, and of a session; nobody has to ask.
_STANDBY, _READ_ONLY = "in_hot_standby", "default_transaction_read_only"

# For a new connection.
_CONNECTED_WITHIN = 10.0
# For each answer: longer than any transaction may take there, and short enough for a loop to be seen turning.
_ANSWERED_WITHIN = 35.0


async def open_pool(settings: Settings, size: int = 4, **server_settings: str) -> asyncpg.Pool:
    """A pool whose plans never scan a table that is small today: they would be kept when it has grown.

    Of one that is to be read-only no connection is closed for being so.
    """
    options = settings.postgres_options()
    options["server_settings"] |= {"enable_seqscan": "off", "jit": "off", **server_settings}
    limits = {"timeout": _CONNECTED_WITHIN, "command_timeout": _ANSWERED_WITHIN}
    reset = unchanged if _READ_ONLY in server_settings else writable
    return await asyncpg.create_pool(**options, **limits, min_size=0, max_size=size, reset=reset)


async def unchanged(_: asyncpg.Connection) -> None:
    """For pools whose connections are given back as they were lent: asyncpg would spend a statement on each time.

    An open transaction is rolled back all the same. Whoever sets something for the session, or takes a lock of it, undoes that.
    """


async def writable(connection: asyncpg.Connection) -> None:
    """The same, but that one whose server takes no writes is closed: a new one meets the server that took over, or takes them again."""
    told = connection.get_settings()
    if "on" in (getattr(told, name, None) for name in (_STANDBY, _READ_ONLY)):
        connection.terminate()


async def writes(connection: asyncpg.Connection) -> None:
    """Ask the server whether it takes writes; raises what it would raise at one."""
    # Also "on" in every session of a standby.
    if await connection.fetchval("SELECT current_setting('transaction_read_only')") == "on":
        raise asyncpg.ReadOnlySQLTransactionError("no writes are taken")


async def answers(connection: asyncpg.Connection) -> None:
    await connection.execute("SELECT 1")


async def ask(pool: asyncpg.Pool, question: Callable[[asyncpg.Connection], Awaitable[None]] = answers) -> None:
    """Ask the server; whoever stops waiting for its answer is free at once."""
    async with pool.acquire() as connection:
        try:
            await question(connection)
        except asyncio.CancelledError:
            # Given back in the middle of a question it would be waited for, until a server that is frozen cancels that.
            connection.terminate()
            raise


def affected(status: str) -> int:
    """How many rows a statement was about, as its answer ends."""
    return int(status.rpartition(" ")[2])
