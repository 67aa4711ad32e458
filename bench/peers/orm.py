"""FastStream and SQLAlchemy's ORM as their guides show them: one message is one profile, in a session of its own."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from faststream import FastStream
from faststream.kafka import KafkaBroker
from pydantic import BaseModel
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

TOPIC = "peer.orm"


class Base(DeclarativeBase):
    pass


class Profile(Base):
    __tablename__ = "peer_orm_profiles"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    launches: Mapped[list["Launch"]] = relationship(back_populates="profile")


class Launch(Base):
    __tablename__ = "peer_orm_launches"

    id: Mapped[int] = mapped_column(primary_key=True)
    profile_id: Mapped[int] = mapped_column(ForeignKey(Profile.id))
    due_at: Mapped[datetime] = mapped_column(index=True)
    profile: Mapped[Profile] = relationship(back_populates="launches")


class Incoming(BaseModel):
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
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


async def main(kafka: str, postgres: str) -> None:
    engine = _engine(postgres)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    broker = KafkaBroker(kafka, logger=None)

    @broker.subscriber(TOPIC, group_id=TOPIC, auto_offset_reset="earliest")
    async def store(given: Incoming) -> None:
        async with sessions() as session, session.begin():
            profile = await session.scalar(select(Profile).where(Profile.email == given.email))
            if profile is None:
                profile = Profile(**given.model_dump())
                session.add(profile)
            else:
                for name, value in given:
                    setattr(profile, name, value)
            session.add(Launch(profile=profile, due_at=datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1)))

    await FastStream(broker, logger=None).run()


def _engine(postgres: str) -> AsyncEngine:
    return create_async_engine(postgres.replace("postgresql://", "postgresql+asyncpg://"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
