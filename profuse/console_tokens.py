"""Tokens that one logs in to the console with, from the operator's side."""

import re
from datetime import timedelta
from typing import Any

from profuse.console.access.rights import Rights, new_secret
from profuse.postgres import plain_connection
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.tokens import hashed

COLUMNS = ("name", "rights", "state", "created_at", "expires_at", "last_used_at")

_NAME = re.compile(r"[^\W_](?:[\w .@-]{0,62}\w)?")
_ADD = """
INSERT INTO console_tokens (name, hash, rights, expires_at) VALUES ($1, $2, $3, now() + $4::interval)
ON CONFLICT (name) DO UPDATE
SET hash = excluded.hash, rights = excluded.rights, expires_at = excluded.expires_at, created_at = now(),
    revoked_at = NULL, last_used_at = NULL
WHERE $5 OR console_tokens.revoked_at IS NOT NULL OR console_tokens.expires_at < now()
RETURNING id
"""
_LIST = """
SELECT name, rights,
    CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at < now() THEN 'expired' ELSE 'valid' END AS state,
    created_at, expires_at, last_used_at
FROM console_tokens ORDER BY name
"""


async def add(settings: Settings, name: str, rights: Rights, lasts: timedelta | None, *, replacing: bool = False) -> str:
    """The token's value, which is stored nowhere; raises `CannotRun` for a name that is taken, unless it is to be replaced."""
    if _NAME.fullmatch(name) is None:
        raise CannotRun(f"{name!r} is no name: say who it is for, in at most 64 letters, digits and . - _ @")
    value = new_secret()
    async with plain_connection(settings) as connection, connection.transaction():
        id_ = await connection.fetchval(_ADD, name, hashed(value), rights.value, lasts, replacing)
        if id_ is None:
            raise CannotRun(f"There is a console token {name} already: revoke it first, or name another one.")
        # Whoever had one of that name before is somebody else now.
        await connection.execute("DELETE FROM console_sessions WHERE token = $1", id_)
    return value


async def listed(settings: Settings) -> list[dict[str, Any]]:
    async with plain_connection(settings) as connection:
        return [dict(row) for row in await connection.fetch(_LIST)]


async def revoke(settings: Settings, name: str) -> None:
    """From the next request on nobody is logged in with it; raises `CannotRun` if there is none."""
    async with plain_connection(settings) as connection:
        done = await connection.execute("UPDATE console_tokens SET revoked_at = coalesce(revoked_at, now()) WHERE name = $1", name)
    if done == "UPDATE 0":
        raise CannotRun(f"There is no console token {name}: `profuse console-tokens list` shows them.")
