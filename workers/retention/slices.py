"""Pages of batches that are over, as many as go in time; one that is too large by itself gets smaller, some rows at a time."""

from datetime import datetime
from functools import partial

import asyncpg
import structlog

from runtime.postgres import affected
from workers.retention import batches
from workers.retention.batches import Swept, Terms
from workers.retention.halving import Portion, until_none

log = structlog.get_logger()

ROWS = 1_000

# Failures first: without them nobody can let launches of it run again. The first attempts of its own campaign go with the batch,
# because they are counted to see that it is over: so it is before each slice, and after it.
_ITS_OWN = {
    "failures": "",
    "cancels": "",
    "attachments": "",
    "results": "",
    "launches": "AND NOT (attempt = 0 AND trigger IS NOT DISTINCT FROM (SELECT trigger FROM batches WHERE id = $1))",
}
_DELETE = "DELETE FROM {0} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {0} WHERE batch = $1 {1} LIMIT $2))"


async def sweep(connection: asyncpg.Connection, now: datetime, terms: Terms, page: Portion) -> Swept | None:
    """Look at the next page of them; None if there was none."""
    try:
        return await page.of(partial(batches.sweep, connection, now, terms))
    except asyncpg.QueryCanceledError:
        first = await batches.due(connection, now, 1)
    # An operator who starts its launches now has it looked at later.
    if not first:
        return None
    (alone,) = first
    try:
        await _shrink(connection, alone, terms)
        return await batches.sweep(connection, now, terms, 1)
    except asyncpg.QueryCanceledError:
        # Or no sweep would ever come to those behind it.
        await batches.put_off(connection, [alone], terms)
        log.error("batch_too_large", batch=alone.hex(), todo="see what makes Postgres so slow; it is tried again later")  # noqa: TRY400
        raise


async def _shrink(connection: asyncpg.Connection, batch: bytes, terms: Terms) -> None:
    for table, condition in _ITS_OWN.items():
        await until_none(partial(_slice, connection, batch, terms, _DELETE.format(table, condition)), ROWS)


async def _slice(connection: asyncpg.Connection, batch: bytes, terms: Terms, statement: str, most: int) -> int:
    async with connection.transaction():
        # Somebody may have begun something of it after the slice before.
        if not await batches.lock(connection, [batch], terms):
            return 0
        return affected(await connection.execute(statement, batch, most))
