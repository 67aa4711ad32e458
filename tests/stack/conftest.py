"""One whole stack for the tests of this folder, and doors to stacks on outside servers."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack.door import Door


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Everything is its own: broker, Postgres, mail sink and one process of each room."""
    door = Door(tmp_path_factory.mktemp("stack") / "own")
    try:
        door.up("--port", "0")
        yield door
    finally:
        door.run("down", "--wipe")


@pytest.fixture
def outside(servers: tuple[str, str], tmp_path: Path) -> Iterator[Callable[[str], Door]]:
    """Opens stacks by name that have no servers of their own."""
    kafka, postgres = servers
    doors: dict[str, Door] = {}

    def opened(name: str) -> Door:
        named = {"PROFUSE_KAFKA": kafka, "PROFUSE_POSTGRES": postgres, "PROFUSE_SMTP": "smtp://127.0.0.1:9"}
        return doors.setdefault(
            name, Door(tmp_path / name, {**named, "PROFUSE_PREFIX": f"s{secrets.token_hex(6)}", "PROFUSE_PARTITIONS": "2"})
        )

    yield opened
    for door in doors.values():
        door.run("down")
