"""The workers' connections to Postgres."""

import asyncpg

from schemas.settings import Settings

# InternalClientError: a connection was ended while it was idle, and asyncpg has read why but not yet that it is closed.
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What a statement raises when the database is away, stopping, or not as this version expects it."""


async def open_pool(settings: Settings, size: int = 4) -> asyncpg.Pool:
    """A pool whose plans never scan a table that is small today: they would be kept when it has grown."""
    options = settings.postgres_options()
    options["server_settings"] |= {"enable_seqscan": "off", "jit": "off"}
    return await asyncpg.create_pool(**options, min_size=0, max_size=size, command_timeout=60)
