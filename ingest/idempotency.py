"""SQL of Request-IDs: which request an id stands for, and how far it has come."""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from ingest.answers import REPEAT_AFTER, Refused, conflict, invalid


@dataclass(frozen=True)
class RequestId:
    """A Request-ID in the scope of its token, and what the request must look like when it is repeated."""

    token: int
    id: str
    path: str
    body_hash: bytes


def parse(given: str) -> str:
    """1 to 128 visible ASCII characters."""
    if 1 <= len(given) <= 128 and all("!" <= character <= "~" for character in given):
        return given
    raise invalid("Request-ID: must be 1 to 128 visible ASCII characters")


def being_accepted() -> Refused:
    return conflict("Request-ID: a request with this id is being accepted", REPEAT_AFTER)


async def accepted_batch(connection: asyncpg.Connection, request: RequestId) -> bytes | None:
    """The batch of the request that this one repeats, or None if it is the first.

    Refused while the first is still being published, and if it was another request.
    """
    row = await connection.fetchrow(
        "SELECT r.path, r.body_hash, r.batch, b.published_at FROM requests r LEFT JOIN batches b ON b.id = r.batch "
        "WHERE r.token = $1 AND r.request_id = $2 AND r.expires_at > now()",
        request.token,
        request.id,
    )
    if row is None:
        return None
    if (row["path"], row["body_hash"]) != (request.path, request.body_hash):
        raise Refused(422, "Request-ID reused", "Request-ID: it was used with another path or body")
    if row["published_at"] is None:
        raise being_accepted()
    return bytes(row["batch"])


async def remember(connection: asyncpg.Connection, request: RequestId, batch: bytes, lease: timedelta, kept: timedelta) -> None:
    """Tie the id to its batch, in the batch's own transaction; only an expired use of the id gives way."""
    row = await connection.fetchrow(
        "INSERT INTO requests (token, request_id, path, body_hash, batch, accepting_until, expires_at) "
        "VALUES ($1, $2, $3, $4, $5, now() + $6::interval, now() + $7::interval) "
        "ON CONFLICT (token, request_id) DO UPDATE SET path = excluded.path, body_hash = excluded.body_hash, batch = excluded.batch, "
        "accepting_until = excluded.accepting_until, expires_at = excluded.expires_at WHERE requests.expires_at <= now() "
        "RETURNING batch",
        request.token,
        request.id,
        request.path,
        request.body_hash,
        batch,
        lease,
        kept,
    )
    if row is None:
        raise being_accepted()


async def renew(connection: asyncpg.Connection, request: RequestId, batch: bytes, lease: timedelta) -> None:
    """Say that the gateway which publishes the batch is alive."""
    await connection.execute(
        "UPDATE requests SET accepting_until = now() + $4::interval WHERE token = $1 AND request_id = $2 AND batch = $3",
        request.token,
        request.id,
        batch,
        lease,
    )
