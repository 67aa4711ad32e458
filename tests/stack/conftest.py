"""One whole stack for the tests of this folder, and doors to stacks on outside servers."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stack.door import Door


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Everything is its own: broker, Postgres, mail sink and one process of each room."""
    # Shorter than the patience of a test that freezes what is waited for.
    door = Door(tmp_path_factory.mktemp("stack") / "own", {"PROFUSE_REPLY_DEADLINE": "PT8S"})
    try:
        door.up("--port", "0")
        yield door
    finally:
        door.run("down", "--wipe")


@pytest.fixture(scope="package")
def one(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A stack that has nothing of its own but a gateway."""
    with _gateway_alone(servers, tmp_path_factory.mktemp("one")) as door:
        yield door


@pytest.fixture
def other(servers: tuple[str, str], tmp_path: Path) -> Iterator[Door]:
    """A second one, on the same servers."""
    with _gateway_alone(servers, tmp_path) as door:
        yield door


@contextmanager
def _gateway_alone(servers: tuple[str, str], directory: Path) -> Iterator[Door]:
    kafka, postgres = servers
    named = {"PROFUSE_KAFKA": kafka, "PROFUSE_POSTGRES": postgres, "PROFUSE_SMTP": "smtp://127.0.0.1:9"}
    own = {"PROFUSE_PREFIX": f"s{secrets.token_hex(6)}", "PROFUSE_PARTITIONS": "1"}
    door = Door(directory / "stack", named | own)
    try:
        door.up("--port", "0", "--matchers", "0", "--launchers", "0")
        yield door
    finally:
        door.run("down")
