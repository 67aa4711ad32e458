"""Two gateways for all tests that do not stop theirs; each test finds them without batches."""

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest_asyncio

from profuse.applying import apply
from profuse.migrating import migrate
from schemas.settings import Settings
from tests.kafka.gateway.running import Running, running

ACCOUNT = (Path(__file__).parent / "account.toml").read_text()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def configured(servers: tuple[str, str]) -> AsyncIterator[Settings]:
    kafka, postgres = servers
    settings = Settings(kafka=kafka, postgres=postgres, prefix=f"t{secrets.token_hex(6)}", partitions=4, port=0, health_port=0)
    await migrate(settings)
    await apply(settings, ACCOUNT)
    yield settings
    connection = await asyncpg.connect(settings.postgres)
    await connection.execute(f'DROP SCHEMA "{settings.prefix}" CASCADE')
    await connection.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _patient(configured: Settings) -> AsyncIterator[Running]:
    async with running(configured) as world:
        yield world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _hasty(configured: Settings) -> AsyncIterator[Running]:
    async with running(configured.model_copy(update={"reply_deadline": timedelta(seconds=1)})) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def patient(_patient: Running) -> AsyncIterator[Running]:
    """Waits as long as a gateway does by default."""
    yield _patient
    await _patient.forget()


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(_hasty: Running) -> AsyncIterator[Running]:
    """Answers 202 after a second."""
    yield _hasty
    await _hasty.forget()


@pytest_asyncio.fixture(loop_scope="session")
async def brokerless(configured: Settings) -> AsyncIterator[Running]:
    """Cannot reach the broker until the test lets it; renews its leases often."""
    async with running(configured.model_copy(update={"accepting_lease": timedelta(seconds=1)})) as world:
        world.broker.clear()
        yield world
        await world.forget()


@pytest_asyncio.fixture(loop_scope="session")
async def frozen(configured: Settings) -> AsyncIterator[Running]:
    """Cannot publish until the test lets it, and does not renew its leases meanwhile."""
    async with running(configured.model_copy(update={"accepting_lease": timedelta(hours=1)})) as world:
        world.broker.clear()
        yield world
        await world.forget()


@pytest_asyncio.fixture(loop_scope="session")
async def hasty_brokerless(configured: Settings) -> AsyncIterator[Running]:
    async with running(configured.model_copy(update={"reply_deadline": timedelta(seconds=1)})) as world:
        world.broker.clear()
        yield world
        await world.forget()
