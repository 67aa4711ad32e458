"""One whole stack for the tests of this folder, and doors to stacks on outside servers."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stack.door import Door, wait_until
from tests.stack.producer import post

DEMO = Path(__file__).parents[2] / "examples" / "demo.toml"


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


@pytest.fixture
def used(stack: Door) -> Door:
    """The stack with an account; all its connections are open, and would be taken again."""
    assert stack.run("apply", str(DEMO)).returncode == 0
    wait_until(stack.is_ready, seconds=60)
    wait_until(lambda: post(stack, "before").status_code == 200, seconds=60)
    return stack


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
        door.up("--port", "0", "--matchers", "0", "--launchers", "0", "--hooks", "0", "--consoles", "0")
        yield door
    finally:
        door.run("down")
