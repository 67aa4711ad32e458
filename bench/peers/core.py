"""FastStream and SQLAlchemy's Core by somebody who measures: batches, structs, and many rows with each statement."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import msgspec
from fast_depends.msgspec import MsgSpecSerializer
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker
from sqlalchemy import BigInteger, Column, DateTime, Identity, MetaData, Table, Text, insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

TOPIC = "peer.core"

_FIELDS = ("email", "first_name", "last_name", "city", "country")

metadata = MetaData()
profiles = Table(
    "peer_core_profiles",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("email", Text, unique=True, nullable=False),
    *(Column(name, Text, nullable=False) for name in _FIELDS[1:]),
)
launches = Table(
    "peer_core_launches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("profile", BigInteger, nullable=False),
    Column("due_at", DateTime(timezone=True), index=True, nullable=False),
)

_NEW = upsert(profiles)
_STORE = _NEW.on_conflict_do_update(index_elements=["email"], set_={name: _NEW.excluded[name] for name in _FIELDS[1:]}).returning(
    profiles.c.id
)


class Incoming(msgspec.Struct):
    """What a message carries."""

    email: str
    first_name: str
    last_name: str
    city: str
    country: str


async def create(postgres: str) -> None:
    """Its tables, before it is started."""
    engine = _engine(postgres)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


async def main(kafka: str, postgres: str) -> None:
    engine = _engine(postgres)
    broker = KafkaBroker(kafka, logger=None, serializer=MsgSpecSerializer())

    @broker.subscriber(
        TOPIC, group_id=TOPIC, auto_offset_reset="earliest", batch=True, max_records=2_000, ack_policy=AckPolicy.NACK_ON_ERROR
    )
    async def store(given: list[Incoming]) -> None:
        # The last one of an e-mail counts; in everybody's order, so that two processes do not wait for each other.
        rows = sorted({each.email: each for each in given}.values(), key=attrgetter("email"))
        async with engine.begin() as connection:
            ids = await connection.scalars(_STORE, [msgspec.structs.asdict(row) for row in rows])
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            await connection.execute(insert(launches), [{"profile": profile, "due_at": tomorrow} for profile in ids])

    await FastStream(broker, logger=None).run()


def _engine(postgres: str) -> AsyncEngine:
    return create_async_engine(postgres.replace("postgresql://", "postgresql+asyncpg://"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
