"""Which exceptions mean that the database cannot be reached, or cannot be asked now."""

import asyncpg

DATABASE_AWAY: tuple[type[Exception], ...] = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
