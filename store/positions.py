"""Where workers stand in their topics."""

import asyncpg

Partition = tuple[str, int]
"""A topic by its name on the broker, and the partition's number."""


async def positions(connection: asyncpg.Connection | asyncpg.Pool) -> dict[Partition, int]:
    """The offset that is next in each partition."""
    rows = await connection.fetch("SELECT topic, partition, position FROM progress")
    return {(row["topic"], row["partition"]): row["position"] for row in rows}
