"""What an operator sees of launches."""

from typing import Any

from sqlalchemy import FromClause, Select, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.tables import launches, triggers


async def groups(connection: AsyncConnection, batch: bytes | None, limit: int) -> list[dict[str, Any]]:
    """Groups of launches, the pending ones first; of all batches those that are due next, and what is left of the limit from the newest."""
    if batch is not None:
        return await _read(connection, _shown(launches).where(launches.c.batch == batch), limit)
    pending = await _read(connection, _shown(_due_next(limit)), limit)
    # Behind so few pending ones, or none, that it walks past no more than the limit.
    rest = limit - len(pending)
    return pending + await _read(connection, _shown(_newest(rest).subquery()), rest)


def _due_next(limit: int) -> FromClause:
    """In the order of the index that launchers claim by, which is each trigger's own: nothing is sorted but these."""
    mine = (launches.c.account == triggers.c.account, launches.c.trigger == triggers.c.id, launches.c.finished_at.is_(None))
    soonest = launches.select().where(*mine).order_by(launches.c.run_at).limit(limit).correlate(triggers).lateral()
    return select(*soonest.c).select_from(triggers.join(soonest, true())).order_by(soonest.c.run_at).limit(limit).subquery()


def _newest(limit: int) -> Select[Any]:
    return launches.select().where(launches.c.finished_at.is_not(None)).order_by(launches.c.batch.desc()).limit(limit)


def _shown(source: FromClause) -> Select[Any]:
    return (
        select(
            func.encode(source.c.batch, "hex").label("batch"),
            triggers.c.account,
            triggers.c.number.label("trigger"),
            source.c.attempt,
            source.c.due_at,
            source.c.run_at,
            source.c.finished_at,
            func.cardinality(source.c["items"]).label("items"),
            source.c.launched,
            source.c.skipped,
            source.c.failed,
            source.c.cancelled,
        )
        .join(triggers, source.c.trigger == triggers.c.id)
        .order_by(source.c.finished_at.desc().nulls_first(), source.c.due_at, source.c.batch, source.c.first_item)
    )


async def _read(connection: AsyncConnection, statement: Select[Any], limit: int) -> list[dict[str, Any]]:
    return [dict(row) for row in (await connection.execute(statement.limit(limit))).mappings()]
