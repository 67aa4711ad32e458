"""SQL of Request-IDs: which request an id stands for, and how far it has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.errors import REPEAT_AFTER, Refused, conflict
from schemas.tables import requests as kept


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


def being_accepted() -> Refused:
    return conflict("Request-ID: a request with this id is being accepted", REPEAT_AFTER)


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


async def answer_of(connection: AsyncConnection, request: RequestId) -> Mapping[str, Any] | None:
    """What was answered to the request that this one repeats and that brought no batch; None if this is the first.

    Refused if the first was another request.
    """
    mine = (kept.c.token == request.token) & (kept.c.request_id == request.id) & (kept.c.expires_at > func.now())
    row = (await connection.execute(select(kept.c.path, kept.c.body_hash, kept.c.answer).where(mine))).one_or_none()
    if row is None:
        return None
    _check_same(row.path, row.body_hash, request)
    answer: Mapping[str, Any] = msgspec.json.decode(row.answer)
    return answer


async def keep_answer(connection: AsyncConnection, request: RequestId, answer: Mapping[str, Any], kept_for: timedelta) -> None:
    """For repeats; refused while a request with this id is being accepted."""
    new = insert(kept).values(
        token=request.token,
        request_id=request.id,
        path=request.path,
        body_hash=request.body_hash,
        answer=msgspec.json.encode(answer).decode(),
        expires_at=func.now() + kept_for,
    )
    changed = {name: new.excluded[name] for name in ("path", "body_hash", "batch", "answer", "expires_at")}
    gone = kept.c.expires_at <= func.now()
    written = new.on_conflict_do_update(index_elements=["token", "request_id"], set_=changed, where=gone).returning(kept.c.token)
    if (await connection.execute(written)).one_or_none() is None:
        raise being_accepted()


def _check_same(path: str, body_hash: bytes, request: RequestId) -> None:
    if (path, body_hash) != (request.path, request.body_hash):
        raise Refused(422, "Request-ID reused", "Request-ID: it was used with another path or body")
