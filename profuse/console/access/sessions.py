"""SQL of log-ins: only hashes are stored, of tokens and of what cookies hold."""

from datetime import timedelta

import asyncpg

from profuse.console.access.rights import Rights, Session, csrf_of, new_secret
from schemas.tokens import hashed

LASTS = timedelta(hours=12)

_VALID = "revoked_at IS NULL AND (token.expires_at IS NULL OR token.expires_at > now())"
_USE = f"UPDATE console_tokens AS token SET last_used_at = now() WHERE hash = $1 AND {_VALID} RETURNING id"  # noqa: S608  # a constant
_OPEN = "INSERT INTO console_sessions (hash, token, expires_at) VALUES ($1, $2, now() + $3::interval)"
_FIND = f"""
SELECT token.name, token.rights FROM console_sessions AS session JOIN console_tokens AS token ON token.id = session.token
WHERE session.hash = $1 AND session.expires_at > now() AND {_VALID}
"""  # noqa: S608  # a constant


async def open_session(pool: asyncpg.Pool, token: str) -> str | None:
    """The secret of a new session, or None if there is no such token any more."""
    id_ = await pool.fetchval(_USE, hashed(token))
    if id_ is None:
        return None
    secret = new_secret()
    await pool.execute("DELETE FROM console_sessions WHERE expires_at < now()")
    await pool.execute(_OPEN, hashed(secret), id_, LASTS)
    return secret


async def find(pool: asyncpg.Pool, secret: str) -> Session | None:
    row = await pool.fetchrow(_FIND, hashed(secret))
    return None if row is None else Session(row["name"], Rights(row["rights"]), csrf_of(secret))


async def close(pool: asyncpg.Pool, secret: str) -> None:
    await pool.execute("DELETE FROM console_sessions WHERE hash = $1", hashed(secret))


async def is_anybody_known(pool: asyncpg.Pool) -> bool:
    """Whether there is a token that somebody could log in with."""
    return bool(await pool.fetchval(f"SELECT EXISTS (SELECT FROM console_tokens AS token WHERE {_VALID})"))  # noqa: S608  # a constant
