"""Batches with their databases, kept in memory while their items come in."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import asyncpg
import msgspec

from schemas.batches import BatchKind
from schemas.fields import Field, declared
from schemas.ids import ResourceNumber, TriggerId
from schemas.matching import Matching
from workers.matcher.batches import Batch, Database, UpdateTrigger

_DECLARED = """
    SELECT d.id, d.fields::text AS fields, coalesce(r.fields, '{}') AS indexing
    FROM databases d LEFT JOIN refilings r ON r.database = d.id
    WHERE d.id = ANY($1::int[])
"""
_DATABASE = """
    SELECT d.id AS database, d.unknown_fields, d.fields::text AS fields, coalesce(r.fields, '{}') AS indexing,
        ARRAY(SELECT number FROM resources WHERE database = d.id ORDER BY number) AS numbers,
        ARRAY(SELECT channel FROM resources WHERE database = d.id ORDER BY number) AS channels,
        ARRAY(SELECT id FROM triggers WHERE database = d.id AND active AND type = 'api_import' ORDER BY id) AS import_triggers,
        (SELECT coalesce(json_agg(json_build_array(id, fields) ORDER BY id), '[]') FROM triggers
            WHERE database = d.id AND active AND type = 'update')::text AS update_triggers
    FROM databases d LEFT JOIN refilings r ON r.database = d.id
    WHERE d.id = $1
"""
# With its database, of which the first batch tells all, and the others no more than which it is.
_BATCHES = """
    SELECT batch.*, declared.*
    FROM (
        SELECT b.id, b.trigger, b.total, b.kind, b.matching, b.field_name, r.number AS resource,
            b.skip_triggers, b.skip_invalid_subscriptions, b.detect_geo, b.database AS in_database,
            CASE WHEN row_number() OVER (PARTITION BY b.database) = 1 THEN b.database END AS first_of
        FROM batches b LEFT JOIN resources r ON r.id = b.resource
        WHERE b.id = ANY($1::bytea[])
    ) AS batch LEFT JOIN LATERAL (declaration) AS declared ON true
""".replace("declaration", _DATABASE.replace("$1", "batch.first_of"))


class Batches:
    """The batches seen lately, the oldest forgotten first.

    A batch keeps the fields and triggers that were in force when its first item came, which is after it was accepted.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: OrderedDict[bytes, Batch] = OrderedDict()

    def __contains__(self, batch: bytes) -> bool:
        return batch in self._known

    async def load(self, connection: asyncpg.Connection, ids: Iterable[bytes]) -> dict[bytes, Batch]:
        """The batches that exist, by id."""
        wanted = list(ids)
        missing = [batch for batch in wanted if batch not in self._known]
        if missing:
            self._known.update(await _load(connection, missing))
        found = {batch: self._known[batch] for batch in wanted if batch in self._known}
        for batch in found:
            self._known.move_to_end(batch)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
        return found


async def as_declared_now(connection: asyncpg.Connection, databases: Iterable[Database]) -> dict[int, Database]:
    """The databases by id, with the fields that they have in this transaction.

    Profiles are filed by these: whoever did so by older ones would leave unfound what an index being built has passed already.
    """
    known = {database.id: database for database in databases}
    rows = await connection.fetch(_DECLARED, list(known))
    return {row["id"]: known[row["id"]].declaring(_fields(row["fields"], tuple(row["indexing"]))) for row in rows}


async def load_database(connection: asyncpg.Connection, database: int) -> Database:
    return _database(await connection.fetchrow(_DATABASE, database))


async def _load(connection: asyncpg.Connection, ids: list[bytes]) -> dict[bytes, Batch]:
    rows = await connection.fetch(_BATCHES, ids)
    databases = {row["database"]: _database(row) for row in rows if row["database"] is not None}
    return {row["id"]: _batch(row, databases[row["in_database"]]) for row in rows}


def _database(row: Mapping[str, Any]) -> Database:
    lists = (tuple(row[name]) for name in ("indexing", "numbers", "channels", "import_triggers"))
    return _declared(row["database"], row["unknown_fields"], row["fields"], row["update_triggers"], *lists)


# What a database is declared to be changes seldom, and many batches share it; a new one would reckon all anew that follows from it.
@lru_cache(maxsize=256)
def _declared(
    database: int,
    unknown_fields: str,
    fields: str,
    update_triggers: str,
    indexing: tuple[str, ...],
    numbers: tuple[ResourceNumber, ...],
    channels: tuple[str, ...],
    import_triggers: tuple[TriggerId, ...],
) -> Database:
    return Database(
        id=database,
        unknown_fields=unknown_fields,
        fields=_fields(fields, indexing),
        resources=dict(zip(numbers, channels, strict=True)),
        import_triggers=import_triggers,
        update_triggers=tuple(
            UpdateTrigger(id_, None if only is None else frozenset(only)) for id_, only in msgspec.json.decode(update_triggers)
        ),
    )


@lru_cache(maxsize=256)
def _fields(fields: str, indexing: tuple[str, ...]) -> Mapping[str, Field]:
    return declared(msgspec.json.decode(fields), indexing)


def _batch(row: Mapping[str, Any], database: Database) -> Batch:
    return Batch(
        id=row["id"],
        database=database,
        trigger=row["trigger"],
        total=row["total"],
        kind=BatchKind(row["kind"]),
        matching=Matching(row["matching"]),
        field_name=row["field_name"],
        resource=row["resource"],
        skip_triggers=row["skip_triggers"],
        skip_invalid_subscriptions=row["skip_invalid_subscriptions"],
        detect_geo=row["detect_geo"],
    )
