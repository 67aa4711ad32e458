"""Reads the world after the torture: tables, events, mails, logs."""

import re
from collections import Counter
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from pathlib import Path

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer

from profuse.torture.account import TOKEN
from profuse.torture.model import PHONES
from profuse.torture.verdict import Batch, Observed
from schemas import ids
from schemas.settings import Settings
from schemas.topics import EVENTS

_BATCHES = "SELECT r.request_id, b.id, b.trigger FROM batches b LEFT JOIN requests r ON r.batch = b.id"
_LAUNCHES = """
    SELECT batch, items, launched, skipped, finished_at IS NULL OR bit_count(done) <> cardinality(items) AS unfinished FROM launches
"""
_ROOMS = ("gateway", "matcher", "launcher")
_SUSPECT = re.compile(rf"Traceback|@torture\.test|{re.escape(PHONES)}\d{{7}}|{TOKEN}")


class _Event(msgspec.Struct):
    event_id: str


async def observe(settings: Settings, directory: Path, mails: Path) -> Observed:
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.prefix})
    try:
        batches, strays = await _batches(connection)
        profiles = await connection.fetch("SELECT id, data::text AS data FROM profiles")
        letters = await connection.fetch("SELECT reason FROM dead_letters")
    finally:
        await connection.close()
    return Observed(
        batches=batches,
        strays=strays,
        profiles={row["id"]: msgspec.json.decode(row["data"]) for row in profiles},
        dead_letters=[row["reason"] for row in letters],
        mails=Counter(_launches_of(mails)),
        events=await _events(settings),
        log_lines=list(_suspect_lines(directory / "log")),
    )


async def _batches(connection: asyncpg.Connection) -> tuple[dict[str, Batch], int]:
    rows = await connection.fetch(_BATCHES)
    found = {row["id"]: Batch(row["id"], row["trigger"]) for row in rows}
    for row in await connection.fetch("SELECT batch, items, profiles, errors::text AS errors FROM results"):
        batch = found[row["batch"]]
        batch.results += zip(row["items"], ids.unpack(row["profiles"]), strict=True)
        batch.errors += [str(error) for error in msgspec.json.decode(row["errors"]).values()]
    for row in await connection.fetch(_LAUNCHES):
        batch = found[row["batch"]]
        batch.launches += row["items"]
        batch.launched += row["launched"]
        batch.skipped += row["skipped"]
        batch.unfinished += row["unfinished"]
    named = {row["request_id"]: found[row["id"]] for row in rows if row["request_id"] is not None}
    return named, len(found) - len(named)


async def _events(settings: Settings) -> frozenset[bytes]:
    """The ids of all events on the topic; each may be there several times."""
    decoder = msgspec.json.Decoder(_Event)
    found: set[bytes] = set()
    # Without a group it reads all partitions, from their beginnings.
    async with AIOKafkaConsumer(settings.topic(EVENTS.name), **settings.kafka_options(), auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                found.update(bytes.fromhex(decoder.decode(record.value).event_id) for record in records)
    return frozenset(found)


def _launches_of(mails: Path) -> Iterator[str]:
    """A mail's Message-ID begins with the id of its launch."""
    parser = BytesHeaderParser()
    for file in mails.glob("*.eml"):
        yield parser.parsebytes(file.read_bytes())["Message-ID"].strip().strip("<").partition("@")[0]


def _suspect_lines(logs: Path) -> Iterator[str]:
    for file in (file for room in _ROOMS for file in sorted(logs.glob(f"{room}-*.log"))):
        with file.open(errors="replace") as lines:
            yield from (f"{file.name}: {line.strip()[:200]}" for line in lines if _SUSPECT.search(line))
