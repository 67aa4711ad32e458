"""Batches with their databases, kept in memory while their items come in."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import asyncpg
import msgspec

from schemas.batches import BatchKind
from schemas.fields import Field, declared
from schemas.matching import Matching
from workers.matcher.batches import Batch, Database, UpdateTrigger

_BATCHES = """
    SELECT b.id, b.database, b.trigger, b.total, b.kind, b.matching, b.field_name, r.number AS resource,
           b.skip_triggers, b.skip_invalid_subscriptions, b.detect_geo
    FROM batches b LEFT JOIN resources r ON r.id = b.resource
    WHERE b.id = ANY($1::bytea[])
"""
_DECLARED = """
    SELECT d.id, d.fields::text AS fields, coalesce(r.fields, '{}') AS indexing
    FROM databases d LEFT JOIN refilings r ON r.database = d.id
    WHERE d.id = ANY($1::int[])
"""
_DATABASES = """
    SELECT d.id, d.unknown_fields, d.fields::text AS fields, coalesce(r.fields, '{}') AS indexing,
        ARRAY(SELECT number FROM resources WHERE database = d.id ORDER BY number) AS numbers,
        ARRAY(SELECT channel FROM resources WHERE database = d.id ORDER BY number) AS channels,
        ARRAY(SELECT id FROM triggers WHERE database = d.id AND active AND type = 'api_import' ORDER BY id) AS import_triggers,
        (SELECT coalesce(json_agg(json_build_array(id, fields) ORDER BY id), '[]') FROM triggers
            WHERE database = d.id AND active AND type = 'update')::text AS update_triggers
    FROM databases d LEFT JOIN refilings r ON r.database = d.id
    WHERE d.id = ANY($1::int[])
"""


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
    return (await _databases(connection, [database]))[database]


async def _load(connection: asyncpg.Connection, ids: list[bytes]) -> dict[bytes, Batch]:
    rows = await connection.fetch(_BATCHES, ids)
    databases = await _databases(connection, sorted({row["database"] for row in rows}))
    return {row["id"]: _batch(row, databases[row["database"]]) for row in rows}


async def _databases(connection: asyncpg.Connection, ids: list[int]) -> dict[int, Database]:
    return {
        row["id"]: Database(
            id=row["id"],
            unknown_fields=row["unknown_fields"],
            fields=_fields(row["fields"], tuple(row["indexing"])),
            resources=dict(zip(row["numbers"], row["channels"], strict=True)),
            import_triggers=tuple(row["import_triggers"]),
            update_triggers=tuple(
                UpdateTrigger(id_, None if fields is None else frozenset(fields))
                for id_, fields in msgspec.json.decode(row["update_triggers"])
            ),
        )
        for row in await connection.fetch(_DATABASES, ids)
    }


# Declarations change seldom, and many batches share them.
@lru_cache(maxsize=256)
def _fields(fields: str, indexing: tuple[str, ...]) -> Mapping[str, Field]:
    return declared(msgspec.json.decode(fields), indexing)


def _batch(row: Mapping[str, Any], database: Database) -> Batch:
    shared = {name: value for name, value in row.items() if name not in ("database", "kind", "matching")}
    return Batch(database=database, kind=BatchKind(row["kind"]), matching=Matching(row["matching"]), **shared)
