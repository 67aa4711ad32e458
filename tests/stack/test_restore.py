"""The database is lost, and a dump of it that was made under load is brought back: beside the topics of then, and beside new ones."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profuse.positions.standing import BEYOND, NEW, SAME
from tests.stack.batches import Batch, launched, send, status, wait_for
from tests.stack.conftest import DEMO
from tests.stack.door import Door, wait_until
from tests.stack.past import FEW, SIZE, Past, lived, program, restored
from tests.stack.producer import running

pytestmark = [pytest.mark.timeout(300), pytest.mark.promise("P-OPS-53", "P-OPS-54")]

ROOMS = ("--port", "0", "--hooks", "0", "--consoles", "0")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    directory = tmp_path_factory.mktemp("past")
    door = Door(directory / "lived", {"PROFUSE_PREFIX": f"r{secrets.token_hex(6)}", "PROFUSE_PARTITIONS": "4"})
    try:
        door.up(*ROOMS)
        assert door.run("apply", str(DEMO)).returncode == 0
        yield lived(door, directory / "dump")
    finally:
        door.run("down", "--wipe")


@pytest.fixture
def beside(past: Past, tmp_path: Path) -> Iterator[Door]:
    """The dump, beside the topics of before: they are newer."""
    servers = running(past.door)
    door = restored(past, servers.postgres, tmp_path / "beside", servers.kafka)
    yield door
    door.run("down")


@pytest.fixture
def anew(past: Past, servers: tuple[str, str], tmp_path: Path) -> Iterator[Door]:
    """The dump, beside a broker that has nothing."""
    kafka, postgres = servers
    door = restored(past, postgres, tmp_path / "anew", kafka)
    yield door
    door.run("down")
    program("psql", postgres, "--command", f"DROP DATABASE {door.environment['PROFUSE_POSTGRES'].rpartition('/')[2]} WITH (FORCE)")


def done(door: Door, *arguments: str) -> str:
    result = door.run(*arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def standings(door: Door, *topics: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(done(door, "positions", "list", "--json", *(f"--topic={topic}" for topic in topics)))
    return listed


def states(door: Door) -> set[str]:
    return {each["state"] for each in standings(door)}


def recipients(batches: list[Batch]) -> list[str]:
    return sorted(f"{batch.name}-{number}@stack.test" for batch in batches for number in range(batch.size))


def test_beside_newer_topics_all_that_the_dump_knows_comes_to_its_end_once_and_the_rest_is_named(past: Past, beside: Door) -> None:
    assert states(beside) <= {SAME, NEW}
    foreseen = done(beside, "positions", "restored", "--dry-run")
    done(beside, "positions", "restored", "--yes")
    # Launchers come first to what was announced after the dump.
    beside.up(*ROOMS, "--matchers", "0")
    wait_until(lambda: {each["waiting"] for each in standings(beside, "matches")} == {0}, seconds=60)
    beside.up("--matchers", "1")
    known = [batch for batch in past.sent if status(beside, batch)]
    lost = [batch for batch in past.sent if batch not in known]
    done(beside, "launches", "now", past.pending.task)
    for batch in (past.finished, past.pending, past.matched, past.accepted, *known):
        wait_for(beside, batch, "launched")
    wait_until(lambda: len(letters(beside)) == FEW * len(lost), seconds=60)
    again, first = launched(beside.directory), launched(past.door.directory)
    shown = done(beside, "dead-letters", "show", letters(beside)[0]["id"])

    # One launch each, also where it was launched after the dump: by the id of then.
    assert [to for to, _ in again] == recipients([past.pending, past.matched, past.accepted, *known])
    assert len(dict(set(first + again))) == len(set(first + again))
    # What is lost is there to be read, and was counted before.
    assert known
    assert lost
    assert {each["reason"] for each in letters(beside)} == {"no such item in any batch"}
    assert f"{FEW * len(lost)} of them are of batches that the dump does not know" in foreseen
    assert "@stack.test" in shown
    # Whoever sends it again, under the same id, is answered.
    wait_for(beside, send(beside, lost[0].name, FEW), "launched")


def letters(door: Door) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done(door, "dead-letters", "list", "--json"))
    return found


def test_beside_new_topics_nothing_is_done_twice_and_what_they_held_is_sent_again(past: Past, anew: Door) -> None:
    done(anew, "migrate")
    found = states(anew)
    for topic in ("imports", "matches"):
        done(anew, "positions", "set", topic, "start", "--yes")
    anew.up(*ROOMS)
    done(anew, "launches", "now", past.pending.task)
    wait_for(anew, past.pending, "launched")
    for batch in [past.accepted, *(each for each in past.sent if status(anew, each))]:
        wait_for(anew, send(anew, batch.name, batch.size, request=f"again-{batch.name}"), "launched")
    left, finished = status(anew, past.accepted), status(anew, past.finished)
    mails = [to for to, _ in launched(anew.directory)]

    assert BEYOND in found
    assert found <= {BEYOND, NEW}
    assert left is not None
    assert finished is not None
    assert (left["status"], left["imported"], finished["launched"]) == ("running", 0, SIZE)
    assert len(set(mails)) == len(mails)
    assert set(recipients([past.pending, past.accepted])) <= set(mails)
    assert not set(recipients([past.finished])) & set(mails)
