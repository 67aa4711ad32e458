"""Which exceptions mean that the database cannot be reached, or cannot be asked now."""

import asyncpg

# InternalClientError: a connection was ended while it was idle, and asyncpg has read why but not yet that it is closed.
DATABASE_AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
