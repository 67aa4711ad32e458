"""The first positions: a row of `progress` for each partition of a topic that a worker reads."""

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.tables import progress


async def counted(connection: AsyncConnection) -> dict[str, int]:
    """How many partitions of each topic there are positions for."""
    rows = await connection.execute(select(progress.c.topic, func.count().label("partitions")).group_by(progress.c.topic))
    return {row.topic: row.partitions for row in rows}


async def begin(connection: AsyncConnection, partitions: Mapping[str, int]) -> None:
    """Let topics without a position begin at 0."""
    rows = [{"topic": topic, "partition": partition} for topic, count in partitions.items() for partition in range(count)]
    await connection.execute(insert(progress).values(rows).on_conflict_do_nothing())
    await connection.commit()
