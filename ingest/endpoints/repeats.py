"""A request that brings no batch, done once under its `Request-ID`."""

from datetime import timedelta

import asyncpg

from ingest.envelope import Answer
from ingest.sql import request_ids
from ingest.sql.request_ids import RequestId


async def answered_before(connection: asyncpg.Connection, request_id: RequestId | None) -> Answer | None:
    """The answer to a repeat, for which nothing is done; None if this is the first. Refused while the first is being done."""
    if request_id is None or (answered := await request_ids.answer_of(connection, request_id)) is None:
        return None
    return Answer(200, answered).repeated(request_id.id)


async def reserve(connection: asyncpg.Connection, request_id: RequestId | None) -> None:
    """Before anything is done; refused while a request with this id is being done, or where one has been meanwhile."""
    if request_id is not None:
        await request_ids.reserve(connection, request_id)


async def keep(connection: asyncpg.Connection, request_id: RequestId | None, answer: Answer, kept_for: timedelta) -> None:
    """For repeats, where the id is reserved."""
    if request_id is not None:
        await request_ids.keep_answer(connection, request_id, answer.fields, kept_for)
