"""SQL of Request-IDs: which request an id stands for, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from ingest.request_errors import being_accepted, id_reused

# Longer than any of them takes.
_RESERVED_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class RequestId:
    """A Request-ID in the scope of its token, and what the request must look like when it is repeated."""

    token: int
    id: str
    path: str
    body_hash: bytes


@dataclass(frozen=True)
class FirstTry:
    """The batch of a request that is repeated; one that is not published is nobody's any more."""

    batch: bytes
    published: bool


async def find(connection: asyncpg.Connection, requests: Sequence[RequestId]) -> list[asyncpg.Record | None]:
    """What is known of each id; for `first_try`."""
    rows = await connection.fetch(
        "SELECT r.token, r.request_id, r.path, r.body_hash, r.batch, b.published_at IS NOT NULL AS published, "
        "b.accepting_until >= now() AS live FROM unnest($1::int[], $2::text[]) AS given (token, request_id) "
        "JOIN requests r ON r.token = given.token AND r.request_id = given.request_id AND r.expires_at > now() "
        "LEFT JOIN batches b ON b.id = r.batch",
        [request.token for request in requests],
        [request.id for request in requests],
    )
    found = {(row["token"], row["request_id"]): row for row in rows}
    return [found.get((request.token, request.id)) for request in requests]


def first_try(row: asyncpg.Record | None, request: RequestId) -> FirstTry | None:
    """What became of the request that this one repeats, or None if this is the first.

    Refused while the first is still being published, and if it was another request.
    """
    if row is None:
        return None
    _check_same(row["path"], row["body_hash"], request)
    if row["live"] and not row["published"]:
        raise being_accepted()
    return FirstTry(bytes(row["batch"]), row["published"])


async def answer_of(connection: asyncpg.Connection, request: RequestId) -> Mapping[str, Any] | None:
    """What was answered to the request that this one repeats and that brought no batch; None if this is the first.

    Refused if the first was another request, or has no answer yet.
    """
    row = await connection.fetchrow(
        "SELECT path, body_hash, answer FROM requests WHERE token = $1 AND request_id = $2 AND expires_at > now()",
        request.token,
        request.id,
    )
    if row is None:
        return None
    _check_same(row["path"], row["body_hash"], request)
    if row["answer"] is None:
        raise being_accepted()
    answer: Mapping[str, Any] = msgspec.json.decode(row["answer"])
    return answer


async def reserve(connection: asyncpg.Connection, request: RequestId) -> None:
    """Until it has an answer the id is this request's; not for long, since it may die. Refused where it is another's."""
    reserved = await connection.fetchval(
        """
        INSERT INTO requests (token, request_id, path, body_hash, expires_at) VALUES ($1, $2, $3, $4, now() + $5::interval)
        ON CONFLICT (token, request_id) DO UPDATE SET
            path = excluded.path, body_hash = excluded.body_hash, batch = NULL, answer = NULL, expires_at = excluded.expires_at
        WHERE requests.expires_at <= now()
        RETURNING true
        """,
        request.token,
        request.id,
        request.path,
        request.body_hash,
        _RESERVED_FOR,
    )
    if reserved is None:
        raise being_accepted()


async def keep_answer(connection: asyncpg.Connection, request: RequestId, answer: Mapping[str, Any], kept_for: timedelta) -> None:
    """For repeats, of a request whose id is reserved."""
    await connection.execute(
        "UPDATE requests SET answer = $3, expires_at = now() + $4::interval WHERE token = $1 AND request_id = $2 AND answer IS NULL",
        request.token,
        request.id,
        msgspec.json.encode(answer).decode(),
        kept_for,
    )


def _check_same(path: str, body_hash: bytes, request: RequestId) -> None:
    if (path, body_hash) != (request.path, request.body_hash):
        raise id_reused()
