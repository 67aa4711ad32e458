"""The pipeline: requests over HTTP, answered with every id; then every launch's row in place."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import msgspec

from bench.account import PATH, TOKEN, TRIGGER
from bench.profiles import FIELDS, Row

AT_ONCE = 4


class NotAnswered(Exception):
    """The pipeline gave another answer than one id per profile; a figure would mean nothing."""


@dataclass(frozen=True)
class Taken:
    """Seconds until the last answer, and until the last launch's row."""

    answered: float
    scheduled: float


async def store(api: str, connection: asyncpg.Connection, requests: Sequence[Sequence[Row]]) -> Taken:
    """Post the requests, a few at a time, and wait for their launches."""
    bodies = [_body(rows) for rows in requests]
    before = await _scheduled(connection)
    total = before + sum(len(rows) for rows in requests)
    places = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=api, timeout=120) as client:
        began = time.perf_counter()
        await asyncio.gather(*[_post(client, places, body, len(rows)) for body, rows in zip(bodies, requests, strict=True)])
        answered = time.perf_counter() - began
        while await _scheduled(connection) < total:
            await asyncio.sleep(0.02)
        return Taken(answered, time.perf_counter() - began)


def _body(rows: Sequence[Row]) -> bytes:
    data: list[dict[str, Any]] = [{"data": dict(zip(FIELDS, row, strict=True))} for row in rows]
    return msgspec.json.encode({"token": TOKEN, "trigger_id": TRIGGER, "timeout": {"days": 1}, "data": data})


async def _post(client: httpx.AsyncClient, places: asyncio.Semaphore, body: bytes, profiles: int) -> None:
    async with places:
        response = await client.post(PATH, content=body)
    answer = response.json()
    ids = {entry.get("profile_id") for entry in answer.get("result", [])} - {None}
    if answer["error"] != 0 or len(ids) != profiles:
        raise NotAnswered(f"{len(ids)} ids for {profiles} profiles: {response.text[:300]}")


async def _scheduled(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("SELECT coalesce(sum(cardinality(items)), 0) FROM launches"))
