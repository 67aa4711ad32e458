"""How slow this machine is today, beside the one that the bounds in seconds were written for."""

import time
from statistics import median

import asyncpg

from schemas.settings import Settings

# Rows a second that `make bench` stored there by a bare upsert (docs/performance.md).
_WRITTEN_FOR = 150_000
_ROWS, _CHUNK, _ROUNDS = 20_000, 2_000, 3

_TABLE = "CREATE TABLE public.machine (email text PRIMARY KEY, first text NOT NULL, last text NOT NULL, city text NOT NULL)"
_STORE = """
INSERT INTO public.machine SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
ON CONFLICT (email) DO UPDATE SET first = excluded.first, last = excluded.last, city = excluded.city
"""


async def slowness(settings: Settings) -> float:
    """How many times as long as there a bare upsert takes; never less than 1, for nothing is asked for sooner than promised."""
    connection = await asyncpg.connect(settings.postgres)
    try:
        await connection.execute(_TABLE)
        rates = [await _rate(connection, number) for number in range(_ROUNDS)]
        await connection.execute("DROP TABLE public.machine")
    finally:
        await connection.close()
    return max(1.0, _WRITTEN_FOR / median(rates))


async def _rate(connection: asyncpg.Connection, version: int) -> float:
    rows = [(f"user{n}@machine.test", f"First{n}v{version}", f"Last{n}v{version}", f"City{n % 500}") for n in range(_ROWS)]
    began = time.perf_counter()
    for at in range(0, _ROWS, _CHUNK):
        await connection.execute(_STORE, *zip(*rows[at : at + _CHUNK], strict=True))
    return _ROWS / (time.perf_counter() - began)
