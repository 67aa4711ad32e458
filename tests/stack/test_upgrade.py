"""The next release is brought in under load, as docs/operations.md says."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profuse.positions import broker
from schemas.settings import Settings
from tests.stack.conftest import DEMO
from tests.stack.door import Door, wait_until
from tests.stack.producer import come_to_their_end, post, running, value
from tests.stack.releases import NEXT_REVISION, VERSION, install, next_one, this_one
from tests.stack.rolling import WELCOME, load, restart

pytestmark = pytest.mark.timeout(600)

# Who reads is replaced before who writes.
READERS_FIRST = ("hooks-1", "launcher-1", "matcher-1", "gateway-1", "gateway-2")


@pytest.fixture
def link(tmp_path: Path) -> Path:
    link = tmp_path / "release"
    install(this_one(tmp_path / "this"), link)
    return link


@pytest.fixture
def old(link: Path, tmp_path: Path) -> Iterator[Door]:
    """A stack of this release, whose processes start as what is installed by then."""
    door = Door(tmp_path / "stack", {"PYTHONPATH": str(link), "PYTHONSAFEPATH": "1", "PROFUSE_REPLY_DEADLINE": "PT8S"})
    try:
        door.up("--port", "0", "--gateways", "2", "--consoles", "0")
        assert door.run("apply", str(DEMO)).returncode == 0
        wait_until(lambda: post(door, "before").status_code == 200, seconds=60)
        yield door
    finally:
        door.run("down", "--wipe")


@pytest.mark.promise("P-OPS-52", "P-OPS-10", "P-OPS-12")
def test_the_next_release_is_brought_in_and_taken_back_under_load_and_nobody_is_refused_for_good(
    old: Door, link: Path, tmp_path: Path
) -> None:
    release = next_one(tmp_path / "next")
    with load(old, "upgraded") as ended:
        wait_until(lambda: "200" in ended.values(), seconds=60)
        install(release, link)
        migrated = old.run("migrate")
        replace(old, ended, *READERS_FIRST)
        during = [asyncio.run(versions(old, topic)) for topic in ("imports", "matches")]
        install(tmp_path / "this", link)
        replace(old, ended, "gateway-1", "gateway-2")
        wait_for_readers(old, "imports")
        replace(old, ended, "matcher-1")
        wait_for_readers(old, "matches")
        replace(old, ended, "launcher-1", "hooks-1")
        back = old.run("migrate")
    come_to_their_end(old, "upgraded", list(ended), answered={name for name, how in ended.items() if how == "200"})

    assert set(ended.values()) <= WELCOME
    # The release was another one, and both were at work.
    assert migrated.returncode == 0, migrated.stderr
    assert (back.returncode, "is of a later release than this one" in back.stdout) == (0, True), back.stderr
    assert value(old, "SELECT version_num FROM alembic_version") == NEXT_REVISION
    assert during == [{1, VERSION}, {2, VERSION}]


def replace(old: Door, ended: dict[str, str], *names: str) -> None:
    """By what is installed; the producers are not silent meanwhile."""
    for name in names:
        restart(old, name)
        before = len(ended)
        wait_until(lambda before=before: len(ended) > before + 10, seconds=60)  # type: ignore[misc]


def wait_for_readers(old: Door, topic: str) -> None:
    """Until all is read that its writers of before have written."""
    ends = {each["partition"]: each["end"] for each in standings(old, topic)}
    wait_until(lambda: all(each["position"] >= ends[each["partition"]] for each in standings(old, topic)), seconds=60)


def standings(old: Door, topic: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(old.run("positions", "list", "--json", "--topic", topic).stdout)
    return found


async def versions(old: Door, topic: str) -> set[int]:
    """Of all messages that the topic holds."""
    settings = Settings(kafka=running(old).kafka)
    async with broker.asked(settings) as consumer:
        ranges = await broker.ranges(settings, consumer, settings.topic(topic), {})
        pages = [
            page
            for number, found in ranges.items()
            async for page in broker.records(consumer, settings.topic(topic), number, found.first, found.end)
        ]
    return {msgspec.json.decode(record.value or b"")["v"] for page in pages for record in page}
