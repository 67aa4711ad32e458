"""Which exceptions mean that the database cannot be reached, or cannot be asked now."""

import asyncpg

# InternalClientError: a connection was ended while it was idle, and asyncpg has read why but not yet that it is closed.
DATABASE_AWAY: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

PARTITIONS_CHANGED = "stop the gateways before partitions are added, and start them afterwards (docs/operations.md)"


class PartitionsChanged(Exception):
    """The imports topic has more or fewer partitions than this gateway was started with: keys would lose their order."""
