"""Somebody else on the tests' Postgres, with rights, and with a setting of each session, of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from schemas.settings import Settings


@asynccontextmanager
async def somebody(settings: Settings, default: str, attributes: str = "SUPERUSER") -> AsyncIterator[Settings]:
    """Logs in as a role of the prefix' name that was given this default; what it owns goes with it."""
    role, parts = settings.prefix, urlsplit(settings.postgres)
    connection = await asyncpg.connect(settings.postgres)
    await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'any' {attributes}; ALTER ROLE {role} SET {default}")
    try:
        yield settings.model_copy(update={"postgres": urlunsplit(parts._replace(netloc=f"{role}:any@{parts.netloc.rpartition('@')[2]}"))})
    finally:
        await connection.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
        await connection.close()
