"""SQL of API tokens: what each may, and what is known of its use."""

from typing import Any

import asyncpg

from profuse.console.reading.counted import MOST

_SHOWN = 1_000

_LIST = """
SELECT token.id, token.account, account.name AS account_name, token.name, token.rights, token.expires_at, token.revoked, token.in_flight,
    token.http_status, coalesce(token.expires_at < now(), false) AS expired
FROM tokens AS token JOIN accounts AS account ON account.id = token.account
ORDER BY token.account, token.name LIMIT $1
"""
# Only requests with a Request-ID are remembered by their token; each is kept for so long after it was accepted.
_USED = """
SELECT token, max(expires_at) - $2::interval AS used_at, count(*)::int AS requests
FROM (SELECT token, expires_at FROM requests ORDER BY expires_at DESC LIMIT $1) AS newest GROUP BY token
"""


async def listed(connection: asyncpg.Connection, kept: object) -> list[dict[str, Any]]:
    """`used_at`: the newest request with a Request-ID; None where none is remembered."""
    used = {row["token"]: row for row in await connection.fetch(_USED, MOST, kept)}
    return [_with_use(dict(row), used.get(row["id"])) for row in await connection.fetch(_LIST, _SHOWN)]


def _with_use(token: dict[str, Any], use: Any) -> dict[str, Any]:
    return token | {"used_at": use["used_at"] if use else None, "requests": use["requests"] if use else 0}
