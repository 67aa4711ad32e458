"""SQL of Request-IDs: which request an id stands for, and how far it has come."""

from dataclasses import dataclass

import asyncpg

from ingest.errors import REPEAT_AFTER, Refused, conflict


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


async def first_try(connection: asyncpg.Connection, request: RequestId) -> FirstTry | None:
    """What became of the request that this one repeats, or None if this is the first.

    Refused while the first is still being published, and if it was another request.
    """
    row = await connection.fetchrow(
        "SELECT r.path, r.body_hash, r.batch, b.published_at IS NOT NULL AS published, b.accepting_until >= now() AS live "
        "FROM requests r LEFT JOIN batches b ON b.id = r.batch WHERE r.token = $1 AND r.request_id = $2 AND r.expires_at > now()",
        request.token,
        request.id,
    )
    if row is None:
        return None
    if (row["path"], row["body_hash"]) != (request.path, request.body_hash):
        raise Refused(422, "Request-ID reused", "Request-ID: it was used with another path or body")
    if row["live"] and not row["published"]:
        raise being_accepted()
    return FirstTry(bytes(row["batch"]), row["published"])
