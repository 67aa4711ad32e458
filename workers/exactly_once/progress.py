"""The positions of a topic's partitions: rows of `progress`."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import msgspec

from schemas.topics import M, Outgoing
from workers.exactly_once.chunks import Entry, by_partition, fingerprint


@dataclass(frozen=True)
class Position:
    """Where a partition stands: the next offset, the last record's fingerprint, what may not be published yet."""

    partition: int
    offset: int
    fingerprint: str | None
    outbox: list[Outgoing]


async def load(pool: asyncpg.Pool, topic: str) -> dict[int, Position]:
    """All positions of a topic, by partition."""
    rows = await pool.fetch("SELECT partition, position, fingerprint, outbox FROM progress WHERE topic = $1", topic)
    return {row["partition"]: Position(row["partition"], row["position"], row["fingerprint"], unpack(row["outbox"])) for row in rows}


async def lock(connection: asyncpg.Connection, topic: str, partitions: Sequence[int]) -> dict[int, int]:
    """Lock the partitions' rows until the transaction ends; whoever else owns them waits here, and then sees that they moved."""
    rows = await connection.fetch(
        # Sorted, or two workers that share partitions lock each other out.
        "SELECT partition, position FROM progress WHERE topic = $1 AND partition = ANY($2) ORDER BY topic, partition FOR NO KEY UPDATE",
        topic,
        partitions,
    )
    return {row["partition"]: row["position"] for row in rows}


async def move(connection: asyncpg.Connection, topic: str, chunk: Sequence[Entry[M]], outbox: Sequence[Outgoing]) -> None:
    """Put the chunk behind us; its outbox goes into the row of the first partition."""
    last = {partition: entries[-1].record for partition, entries in by_partition(chunk)}
    outboxes = [pack(outbox), *[None] * (len(last) - 1)]
    await connection.execute(
        """
        UPDATE progress SET position = moved.position, fingerprint = moved.fingerprint, outbox = moved.outbox
        FROM unnest($2::int[], $3::bigint[], $4::text[], $5::bytea[]) AS moved (partition, position, fingerprint, outbox)
        WHERE progress.topic = $1 AND progress.partition = moved.partition
        """,
        topic,
        list(last),
        [record.offset + 1 for record in last.values()],
        [fingerprint(record) for record in last.values()],
        outboxes,
    )


def pack(outbox: Sequence[Outgoing]) -> bytes | None:
    return msgspec.msgpack.encode(outbox) if outbox else None


def unpack(packed: bytes | None) -> list[Outgoing]:
    return msgspec.msgpack.decode(packed, type=list[Outgoing]) if packed else []
