"""What an operator sees of launches, and can do to them."""

from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.tables import batches, launches, triggers

_ITEMS = func.cardinality(launches.c["items"])
_LEFT = _ITEMS - func.bit_count(launches.c.done)


async def groups(connection: AsyncConnection, batch: bytes | None, limit: int) -> list[dict[str, Any]]:
    """Groups of launches, the pending ones first."""
    statement = (
        select(
            func.encode(launches.c.batch, "hex").label("batch"),
            triggers.c.account,
            triggers.c.number.label("trigger"),
            launches.c.attempt,
            launches.c.due_at,
            launches.c.run_at,
            launches.c.finished_at,
            _ITEMS.label("items"),
            launches.c.launched,
            launches.c.skipped,
            launches.c.failed,
        )
        .join(triggers, launches.c.trigger == triggers.c.id)
        .order_by(launches.c.finished_at.desc().nulls_first(), launches.c.due_at, launches.c.batch, launches.c.first_item)
        .limit(limit)
    )
    if batch is not None:
        statement = statement.where(launches.c.batch == batch)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def make_due(connection: AsyncConnection, batch: bytes) -> int | None:
    """How many pending launches are due now instead of later; None if there is no such batch."""
    # Waits for launchers that schedule the batch's groups right now, and makes later ones see the new due time.
    locked = select(batches.c.id).where(batches.c.id == batch).with_for_update()
    if (await connection.execute(locked)).first() is None:
        return None
    await connection.execute(
        update(batches)
        .where(batches.c.id == batch)
        .values(
            due_at=case((batches.c.due_at > func.now(), func.now()), else_=batches.c.due_at),
            # What was to happen later may be over now.
            look_at=func.now(),
            # For what its imports start later.
            hastened_at=func.now(),
        )
    )
    hastened = await connection.execute(
        update(launches)
        .where(launches.c.batch == batch, launches.c.finished_at.is_(None), launches.c.due_at > func.now())
        .values(due_at=func.now(), run_at=func.now())
        .returning(_LEFT)
    )
    return sum(int(items) for items in hastened.scalars())
