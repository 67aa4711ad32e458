"""The positions of a topic's partitions: rows of `progress`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from schemas.topics import M, Outgoing, pack, unpack
from workers.exactly_once.chunks import Entry, Record, by_partition, fingerprint


@dataclass(frozen=True)
class Position:
    """Where a partition stands: the next offset, the last record's fingerprint, what may not be published yet."""

    offset: int
    fingerprint: str | None
    outbox: list[Outgoing]
    # How many processes ended while they tried the next record alone.
    deaths: int = 0
    # How often an operator has moved it.
    fence: int = 0


# The next offset, and how often an operator has moved it: an offset alone may come again in a topic that was made anew.
Stand = tuple[int, int]


async def load(pool: asyncpg.Pool, topic: str) -> dict[int, Position]:
    """All positions of a topic, by partition."""
    rows = await pool.fetch("SELECT partition, position, fingerprint, outbox, deaths, fence FROM progress WHERE topic = $1", topic)
    return {
        row["partition"]: Position(row["position"], row["fingerprint"], unpack(row["outbox"]), row["deaths"], row["fence"]) for row in rows
    }


async def hold(pool: asyncpg.Pool, topic: str, partitions: Iterable[int], holder: str) -> set[int]:
    """Say who holds the partitions from now on; which of them another one held, who never let go."""
    rows = await pool.fetch(
        """
        WITH before AS (
            SELECT partition, coalesce(holder <> $3, false) AS left_behind, trying FROM progress
            WHERE topic = $1 AND partition = ANY($2) ORDER BY topic, partition FOR NO KEY UPDATE
        )
        UPDATE progress SET
            holder = $3,
            deaths = deaths + (before.left_behind AND before.trying)::int,
            trying = before.trying AND NOT before.left_behind
        FROM before WHERE progress.topic = $1 AND progress.partition = before.partition
        RETURNING progress.partition, before.left_behind
        """,
        topic,
        list(partitions),
        holder,
    )
    return {row["partition"] for row in rows if row["left_behind"]}


async def let_go(pool: asyncpg.Pool, topic: str, holder: str) -> None:
    """Nothing of what comes next is to blame for the holder's end."""
    await pool.execute("UPDATE progress SET holder = NULL, trying = false WHERE topic = $1 AND holder = $2", topic, holder)


async def mark(pool: asyncpg.Pool, record: Record, holder: str) -> None:
    """Say that the holder tries this record alone; whoever finds that and another holder knows what became of him."""
    await pool.execute(
        "UPDATE progress SET trying = true WHERE topic = $1 AND partition = $2 AND position = $3 AND holder = $4",
        record.topic,
        record.partition,
        record.offset,
        holder,
    )


async def lock(connection: asyncpg.Connection, topic: str, partitions: Sequence[int]) -> dict[int, Stand]:
    """Lock the partitions' rows until the transaction ends; whoever else owns them waits here, and then sees that they moved."""
    rows = await connection.fetch(
        # Sorted, or two workers that share partitions lock each other out.
        "SELECT partition, position, fence FROM progress"
        " WHERE topic = $1 AND partition = ANY($2) ORDER BY topic, partition FOR NO KEY UPDATE",
        topic,
        partitions,
    )
    return {row["partition"]: (row["position"], row["fence"]) for row in rows}


async def move(connection: asyncpg.Connection, topic: str, chunk: Sequence[Entry[M]], outbox: Sequence[Outgoing]) -> None:
    """Put the chunk behind us; its outbox goes into the row of the first partition."""
    last = {partition: entries[-1].record for partition, entries in by_partition(chunk)}
    outboxes = [pack(outbox), *[None] * (len(last) - 1)]
    await connection.execute(
        """
        UPDATE progress SET
            position = moved.position, fingerprint = moved.fingerprint, outbox = moved.outbox, trying = false, deaths = 0
        FROM unnest($2::int[], $3::bigint[], $4::text[], $5::bytea[]) AS moved (partition, position, fingerprint, outbox)
        WHERE progress.topic = $1 AND progress.partition = moved.partition
        """,
        topic,
        list(last),
        [record.offset + 1 for record in last.values()],
        [fingerprint(record) for record in last.values()],
        outboxes,
    )
