"""The table of databases whose profiles are being filed anew."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.tables import databases, profiles, refilings
from store.configuration.model import Change, Key, Kind


@dataclass(frozen=True)
class Refiling:
    """What is still to be done, by the database's internal id; `fields` are the names that nobody may search by until then."""

    key: Key
    database: int
    fields: str
    is_populated: bool


def has_profiles() -> ColumnElement[bool]:
    return select(1).where(profiles.c.database == databases.c.id).exists()


async def begin(connection: AsyncConnection, change: Change) -> None:
    """Let the database's profiles be filed from the first one on, also where that had begun for other fields."""
    database = select(databases.c.id).where(databases.c.account == change.key.account, databases.c.number == change.key.id)
    number: int = (await connection.execute(database)).scalar_one()
    await _begin(connection, number, change.indexed, swept="" if change.is_swept else None)


async def _begin(connection: AsyncConnection, database: int, fields: Collection[str], swept: str | None) -> None:
    begun = insert(refilings).values(database=database, fields=list(fields), swept_value=swept)
    await connection.execute(
        begun.on_conflict_do_update(
            index_elements=["database"],
            set_={
                "fields": refilings.c.fields + begun.excluded.fields,
                "turn": refilings.c.turn + 1,
                "waited": False,
                # What was left to sweep is so still.
                "swept_value": case((func.coalesce(begun.excluded.swept_value, refilings.c.swept_value).is_not(None), ""), else_=None),
                "swept_n": 0,
                "filed": b"",
            },
        )
    )


async def begin_everywhere(connection: AsyncConnection) -> None:
    """Let all profiles be filed, by all that they are found by."""
    for row in await connection.execute(select(databases.c.id, databases.c.fields).where(has_profiles())):
        await _begin(connection, row.id, [name for name, field in row.fields.items() if field["match"]], swept="")


async def pending(connection: AsyncConnection) -> list[Refiling]:
    rows = await connection.execute(
        select(databases.c.id, databases.c.account, databases.c.number, refilings.c.fields, has_profiles().label("is_populated"))
        .join(refilings, refilings.c.database == databases.c.id)
        .order_by(databases.c.id)
    )
    return [
        Refiling(Key(Kind.DATABASE, row.account, row.number), row.id, ", ".join(sorted(set(row.fields))), is_populated=row.is_populated)
        for row in rows
    ]
