"""Servers that are strict, for all tests of this folder."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.front import front
from tests.security.strict import Strict, strict_broker


@pytest.fixture(scope="session")
def strict() -> Iterator[Strict]:
    with tempfile.TemporaryDirectory(prefix="profuse-", ignore_cleanup_errors=True) as directory, strict_broker(Path(directory)) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres_port(servers: tuple[str, str], strict: Strict) -> Iterator[int]:
    """Where the run's Postgres is reached by TLS only."""
    with front(servers[1], strict.certificates.server_context()) as port:
        yield port
