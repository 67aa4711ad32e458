"""A disk of Postgres, of the broker or of the logs that is full, in mid load, and has room again."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import asyncpg
import pytest

from profuse.stack import directory as directories
from runtime.advice import KAFKA_AWAY, POSTGRES_AWAY, POSTGRES_FULL
from tests.pipeline.stack import ACCOUNT, BATCH
from tests.stack.cramped import ROOMS, Cramped
from tests.stack.disk import mounted
from tests.stack.door import Door, wait_until

ITEMS = 2_000
TASK = f"{BATCH}_task"
NEW_SEGMENT = "SELECT pg_switch_wal()"
WRITE_LOG = "SELECT pg_logical_emit_message(true, '', '')"
# More than a page has room for, however it is compressed.
PAGE = secrets.token_hex(100_000)
ENDED = "SELECT coalesce(sum(launched + skipped + failed), 0) FROM launches"
COUNTS = {
    "profiles": "SELECT count(*) FROM profiles",
    "results": "SELECT sum(cardinality(items)) FROM results",
    "imported": "SELECT sum(imported) FROM batch_progress",
    "launches": "SELECT sum(cardinality(items)) FROM launches",
    "ended": ENDED,
    "dead letters": "SELECT count(*) FROM dead_letters",
}


# With the start of a whole stack.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cramped]:
    directory = tmp_path_factory.mktemp("cramped") / "stack"
    directories.make(directory)
    with ExitStack() as cleanup:
        disks = {server: cleanup.enter_context(mounted(directory / server, 256)) for server in ("postgres", "kafka", "log")}
        door = Door(directory, {"PROFUSE_PARTITIONS": "2", "PROFUSE_REPLY_DEADLINE": "PT5S"})
        cleanup.callback(door.run, "down")
        door.up("--port", "0")
        door.run("apply", str(ACCOUNT))
        yield Cramped(door, disks, door.status())


@pytest.mark.promise("P-OPS-26", "P-HTTP-24")
def test_all_is_done_once_when_the_disk_of_postgres_has_room_again(cramped: Cramped) -> None:
    until_said = cramped.since()
    load(cramped, "data")
    # So that its log is not what runs out of room first.
    cramped.query(NEW_SEGMENT)
    cramped.query(WRITE_LOG)
    with cramped.disks["postgres"].full():
        refused = cramped.post("data-refused", 10, page=PAGE)
        cramped.thaw()
        for room in ROOMS:
            until_said(room, POSTGRES_FULL)
    cramped.repeat("data-refused", 10, page=PAGE)

    assert (refused.status_code, refused.json()["error_text"]) == (503, "Temporarily unavailable")
    assert int(refused.headers["retry-after"]) > 0
    all_is_done_once(cramped)


@pytest.mark.promise("P-OPS-26", "P-HTTP-24", "P-DOOR-03")
def test_all_is_done_once_when_postgres_had_no_room_for_its_log(cramped: Cramped) -> None:
    until_said = cramped.since()
    load(cramped, "log")
    with cramped.disks["postgres"].full():
        # It ends, and does not come back before there is room.
        with suppress(asyncpg.PostgresError, OSError):
            while cramped.query(NEW_SEGMENT):
                cramped.query(WRITE_LOG)
        until_said("supervisor", f"The disk of {cramped.directory / 'postgres'} is full: make room.")
        refused = cramped.post("log-refused", 10)
        cramped.thaw()
        for room in ROOMS:
            until_said(room, POSTGRES_AWAY)
    cramped.repeat("log-refused", 10)

    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
    all_is_done_once(cramped)


@pytest.mark.promise("P-OPS-26", "P-HTTP-24", "P-DOOR-03")
def test_all_is_done_once_when_the_disk_of_the_broker_has_room_again(cramped: Cramped) -> None:
    until_said = cramped.since()
    load(cramped, "broker")
    with cramped.disks["kafka"].full():
        refused = cramped.post("broker-refused", ITEMS)
        cramped.thaw()
        until_said("supervisor", f"The disk of {cramped.directory / 'kafka'} is full: make room.")
        for room in ROOMS:
            until_said(room, KAFKA_AWAY)
    cramped.repeat("broker-refused", ITEMS)

    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (503, True)
    all_is_done_once(cramped)


@pytest.mark.promise("P-OPS-57")
def test_all_is_done_once_while_the_disk_of_the_logs_is_full(cramped: Cramped) -> None:
    cramped.thaw()
    until_said = cramped.since()
    with cramped.disks["log"].full():
        # More lines than what is left of a page, and than a stream keeps.
        answers = {cramped.post(f"unlogged-{number}", 1).status_code for number in range(100)}
        all_is_done_once(cramped)
    cramped.repeat("logged", 1)
    until_said("gateway-1", "log_lines_lost")

    assert answers == {200}
    all_is_done_once(cramped)


def load(cramped: Cramped, name: str) -> None:
    """Leave work to a launcher and to a matcher, who are frozen."""
    # A test that failed may have left them frozen.
    cramped.thaw()
    cramped.freeze("launcher-1")
    cramped.repeat(f"{name}-matched", ITEMS)
    cramped.freeze("matcher-1")
    cramped.repeat(f"{name}-published", ITEMS, TASK)


def all_is_done_once(cramped: Cramped) -> None:
    sent = sum(cramped.sent.values())
    wait_until(lambda: cramped.query(ENDED) >= sent, 60)
    mails = cramped.mails()

    assert {count: cramped.query(sql) for count, sql in COUNTS.items()} == dict.fromkeys(COUNTS, sent) | {"dead letters": 0}
    assert len(mails) == len(set(mails)) == len(cramped.sent)
    assert not [room for room in ROOMS if "Traceback" in cramped.log(room)]
