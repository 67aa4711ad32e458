"""A request that brings no batch, done once under its `Request-ID`."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg

from ingest.envelope import Answer
from ingest.sql import request_ids
from ingest.sql.request_ids import RequestId


async def once(
    connection: asyncpg.Connection, request_id: RequestId | None, kept_for: timedelta, answering: Callable[[], Awaitable[Answer]]
) -> Answer:
    """The answer; to a repeat that of before, under which nothing is done. In one transaction both are there, or none."""
    if request_id is not None and (answered := await request_ids.answer_of(connection, request_id)):
        return Answer(200, answered).repeated(request_id.id)
    answer = await answering()
    if request_id is not None:
        await request_ids.keep_answer(connection, request_id, answer.fields, kept_for)
    return answer
