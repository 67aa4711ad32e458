"""The floor: a bare INSERT … ON CONFLICT of the same profiles, on one connection."""

import time
from collections.abc import Sequence

import asyncpg

from bench.profiles import FIELDS, Row

CHUNK = 2_000

_STORE = f"""
    INSERT INTO bench_floor ({", ".join(FIELDS)})
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
    ON CONFLICT (email) DO UPDATE SET {", ".join(f"{field} = excluded.{field}" for field in FIELDS[1:])}
"""  # noqa: S608  the fields are the constants above


_TABLE = f"CREATE TABLE IF NOT EXISTS bench_floor ({', '.join(f'{field} text NOT NULL' for field in FIELDS)}, UNIQUE (email))"


async def store(connection: asyncpg.Connection, rows: Sequence[Row]) -> float:
    """Seconds for all rows, each chunk in a transaction of its own."""
    await create(connection)
    began = time.perf_counter()
    for at in range(0, len(rows), CHUNK):
        await chunk(connection, rows[at : at + CHUNK])
    return time.perf_counter() - began


async def create(connection: asyncpg.Connection) -> None:
    await connection.execute(_TABLE)


async def chunk(connection: asyncpg.Connection, rows: Sequence[Row]) -> None:
    await connection.execute(_STORE, *zip(*rows, strict=True))
