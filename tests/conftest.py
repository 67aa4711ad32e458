"""Real servers for all, and a prefix of its own for each test."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from profuse.migrating import migrate
from profuse.stack.servers import servers as local_servers
from schemas.settings import Settings
from schemas.topics import ALL
from tests.copying import Model, model
from tests.migrating import migrate_tables

pytest_plugins = ["tests.promises", "tests.programs", "tests.sharing"]


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[str, str]]:
    """Addresses of Kafka and Postgres: those that the environment names, or ones started for this run."""
    if "PROFUSE_KAFKA" in os.environ and "PROFUSE_POSTGRES" in os.environ:
        yield os.environ["PROFUSE_KAFKA"], os.environ["PROFUSE_POSTGRES"]
        return
    with tempfile.TemporaryDirectory(prefix="profuse-", ignore_cleanup_errors=True) as directory:
        # Postgres does not run as root, and the user that it runs as must get in; pytest's own folders are closed.
        Path(directory).chmod(0o755)
        with local_servers(Path(directory)) as addresses:
            yield addresses


@pytest.fixture(scope="session")
def tables_once(servers: tuple[str, str]) -> Model:
    """Migrated once for all."""
    settings = _settings(*servers)
    asyncio.run(migrate_tables(settings))
    return model(settings)


@pytest.fixture
def settings(servers: tuple[str, str]) -> Settings:
    return _settings(*servers)


@pytest.fixture
async def tables(settings: Settings, tables_once: Model) -> AsyncIterator[Settings]:
    """The tables alone, for tests that need no broker."""
    await tables_once.copy(settings)
    yield settings
    await _drop_tables(settings)


@pytest.fixture
async def migrated(tables: Settings) -> AsyncIterator[Settings]:
    """Tables, topics and first positions."""
    await migrate(tables)
    yield tables
    admin = AIOKafkaAdminClient(**tables.kafka_options())
    await admin.start()
    await admin.delete_topics([tables.topic(topic.name) for topic in ALL])
    await admin.close()


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """Connections to this test's schema; ask for `tables` or `migrated` as well."""
    async with asyncpg.create_pool(**settings.postgres_options(), min_size=0) as opened:
        yield opened


def _settings(kafka: str, postgres: str) -> Settings:
    return Settings(kafka=kafka, postgres=postgres, prefix=f"t{secrets.token_hex(6)}", partitions=4, port=0, health_port=0)


async def _drop_tables(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.postgres)
    await connection.execute(f'DROP SCHEMA IF EXISTS "{settings.prefix}" CASCADE')
    await connection.close()
