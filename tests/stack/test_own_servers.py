"""A stack that starts everything by itself."""

import asyncio
import json
import os
import re
import signal
import smtplib
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx2
import psutil
import pytest

from profuse.stack import jars, jvm, postgres
from tests.stack.door import Door, profuse, wait_until

PROVIDERS = """
[[accounts]]
id = 77
name = "troubled"
""" + "".join(
    f"""
[[accounts.providers]]
name = "{name}"
channel = "sms"
url = "http://127.0.0.1:9/"
secrets = ["whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"]
"""
    for name in ("fine", "held", "paused")
)
REMEMBER = """
INSERT INTO provider_states (provider, held_until, held_since, why, paused_at)
SELECT id, now() + interval '1 hour', now(), 'HTTP 429', NULL FROM providers WHERE name = 'held' UNION ALL
SELECT id, NULL, NULL, 'gone', now() FROM providers WHERE name = 'paused'
"""
ROOMS = {"kafka", "postgres", "mail-sink", "gateway-1", "matcher-1", "launcher-1", "hooks-1", "console-1"}


@pytest.mark.promise("P-DOOR-05", "P-DOOR-06", "P-DOOR-10")
def test_all_is_ready_when_up_returns(stack: Door) -> None:
    stack.up()
    done = stack.run("status", "--json")
    reported = stack.status()

    assert done.returncode == 0
    assert set(reported) == {"api", "console", "kafka", "postgres", "mail", "processes", "providers"}
    assert {process["name"] for process in reported["processes"]} == ROOMS
    assert all(set(process) == {"name", "room", "pid", "ready", "url"} and process["ready"] for process in reported["processes"])
    assert reported["mail"] == str(stack.directory / "mail")


def test_its_broker_starts_from_what_was_rehearsed_when_it_was_installed(stack: Door) -> None:
    kept = jvm.rehearsed(jars.install())

    assert str(kept) in {each.path for each in psutil.Process(stack.pids()["kafka"]).memory_maps()}


@pytest.mark.promise("P-DOOR-40")
def test_a_provider_that_takes_nothing_is_shown_with_reason_and_next_try(stack: Door, tmp_path: Path) -> None:
    assert stack.status()["providers"] == []
    file = tmp_path / "providers.toml"
    file.write_text(PROVIDERS)
    stack.run("apply", str(file))
    asyncio.run(remember(stack.status()["postgres"]))
    done, shown = stack.run("status", "--json"), stack.status()["providers"]
    told = stack.run("status").stdout

    assert done.returncode == 0
    assert [(each["name"], each["state"], each["why"]) for each in shown] == [("held", "held", "HTTP 429"), ("paused", "paused", "gone")]
    assert datetime.fromisoformat(shown[0]["next_try"]) > datetime.now(UTC)
    assert shown[1]["next_try"] is None
    assert "HTTP 429" in told
    assert "whsec_" not in told + done.stdout


@pytest.mark.promise("P-DOOR-01", "P-DOOR-04")
def test_up_changes_counts_and_leaves_the_rest_running(stack: Door) -> None:
    before, api = stack.pids(), stack.status()["api"]
    stack.up("--gateways", "2", "--matchers", "0")
    grown = stack.pids()
    os.kill(grown["gateway-1"], signal.SIGKILL)
    answered = httpx2.post(f"{api}/api/v1.1/tasks/status", content=b"{}").json()
    stack.up("--gateways", "1", "--matchers", "1")

    assert grown.keys() == (before.keys() | {"gateway-2"}) - {"matcher-1"}
    assert all(grown[name] == before[name] for name in before.keys() & grown.keys())
    assert answered["error"] == 401
    assert stack.pids().keys() == before.keys()


@pytest.mark.promise("P-DOOR-03")
def test_a_killed_process_is_started_again_and_said_so(stack: Door) -> None:
    before = stack.pids()
    os.kill(before["mail-sink"], signal.SIGKILL)
    wait_until(lambda: stack.pids()["mail-sink"] != before["mail-sink"] and stack.is_ready())

    said = (stack.directory / "log" / "supervisor.log").read_text()
    # Twice as long for one that has not run for half a minute.
    assert re.search(r"mail-sink was killed by SIGKILL; it is started again in 0\.(25|5) s", said)


@pytest.mark.promise("P-DOOR-03")
def test_what_cannot_be_written_down_keeps_nobody_from_being_started_again(stack: Door) -> None:
    before, log = stack.pids(), stack.directory / "log" / "supervisor.log"
    said = log.stat().st_size
    # What a full disk does, and can be ended.
    blocked = stack.directory / f"state.json.{stack.supervisor()}"
    blocked.mkdir()
    os.kill(before["mail-sink"], signal.SIGKILL)
    wait_until(lambda: "What runs cannot be written down" in log.read_text()[said:])
    blocked.rmdir()
    wait_until(lambda: stack.pids()["mail-sink"] != before["mail-sink"] and stack.is_ready())


@pytest.mark.promise("P-DOOR-16")
def test_each_delivered_mail_is_one_file(stack: Door) -> None:
    mail_in = Path(stack.status()["mail"])
    before = set(mail_in.glob("*"))
    with smtplib.SMTP(*_smtp(stack)) as server:
        for name in ("first", "second"):
            server.sendmail("a@example.com", ["b@example.com"], f"Subject: {name}\r\n\r\nHello\r\n")
    kept = sorted(set(mail_in.glob("*")) - before)

    assert [file.suffix for file in kept] == [".eml", ".eml"]
    assert [file.read_text().splitlines()[0] for file in kept] == ["Subject: first", "Subject: second"]


@pytest.mark.promise("P-DOOR-01")
def test_up_works_after_its_supervisor_was_killed(stack: Door) -> None:
    before = stack.pids()
    os.kill(stack.supervisor(), signal.SIGKILL)
    wait_until(lambda: not stack.is_ready())
    said = stack.up("--port", "0")

    assert "matcher-1 was left running by a supervisor that was killed; it is stopped" in said
    assert stack.is_ready()
    assert not any(psutil.pid_exists(pid) for pid in before.values())


@pytest.mark.promise("P-DOOR-07", "P-OPS-13")
def test_down_stops_everything_and_keeps_the_data(stack: Door) -> None:
    pids = stack.pids()
    done = stack.run("down")

    assert done.returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert "is killed" not in (stack.directory / "log" / "supervisor.log").read_text()
    assert (stack.directory / "postgres" / "data").exists()
    assert stack.run("down").returncode == 0


@pytest.mark.promise("P-DOOR-08")
def test_wipe_deletes_what_up_made(stack: Door) -> None:
    done = stack.run("down", "--wipe")

    assert done.returncode == 0
    assert not stack.directory.exists()


@pytest.mark.promise("P-DOOR-08")
def test_wipe_spares_what_up_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    done = profuse("down", "--wipe", "--dir", str(tmp_path))

    assert done.returncode == 1
    assert (tmp_path / "mine").exists()


def _smtp(stack: Door) -> tuple[str, int]:
    return "127.0.0.1", json.loads((stack.directory / "ports.json").read_text())["smtp"]


def test_an_interrupted_creation_of_the_database_is_started_over(tmp_path: Path) -> None:
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "PG_VERSION").touch()
    postgres.server(tmp_path, port=0)

    assert (tmp_path / "data" / "PG_VERSION").read_text() == "18\n"
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


async def remember(postgres: str) -> None:
    """What launchers would have learned of these providers."""
    connection = await asyncpg.connect(postgres, server_settings={"search_path": "profuse"})
    await connection.execute(REMEMBER)
    await connection.close()


def test_what_was_rehearsed_for_other_jars_is_not_taken(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"a")
    before = jvm.rehearsed([jar])
    jar.write_bytes(b"another")

    assert jvm.rehearsed([jar]) != before
    assert not any(option.startswith("-XX:AOTCache") for option in jvm.java([jar]))
