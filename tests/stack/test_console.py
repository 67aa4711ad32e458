"""The console of a whole stack."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from profuse.plain_http import NO_CERTIFICATES
from tests.stack.door import Door, wait_until
from tests.stack.producer import post, value

pytestmark = pytest.mark.promise("P-CONSOLE-01")


@contextmanager
def logged_in(stack: Door, name: str) -> Iterator[httpx2.Client]:
    token = stack.run("console-tokens", "add", name).stdout.strip()
    with httpx2.Client(verify=NO_CERTIFICATES, base_url=stack.status()["console"], timeout=30) as client:
        assert client.post("/login", data={"token": token}).status_code == 303
        yield client


def test_up_says_where_the_console_is_and_the_console_shows_the_stack(used: Door) -> None:
    said = (used.directory / "log" / "supervisor.log").read_text()
    with logged_in(used, "ann") as ann:
        page = ann.get("/").text

    assert f"console: {used.status()['console']}, mail:" in said
    for name in ("gateway-1", "matcher-1", "launcher-1", "hooks-1", "console-1", "mail-sink"):
        assert re.search(rf'<td>{name}</td><td><span class="pill good">ready</span></td>', page), name


@pytest.mark.promise("P-CONSOLE-04")
def test_an_item_is_followed_to_its_mail(used: Door) -> None:
    answer = post(used, "followed")
    batch = value(used, "SELECT encode(batch, 'hex') FROM requests WHERE request_id = 'followed'")
    with logged_in(used, "bob") as bob:
        path = f"/batches/{batch}/items/0"
        wait_until(lambda: "the mail, as the sink has it" in bob.get(path).text)
        page = bob.get(path).text

    assert answer.status_code == 200
    assert "To: followed@stack.test" in page
    assert "token <bdi>producer</bdi>" in page
    assert ">launched</span>" in page


def test_a_console_that_was_killed_comes_back_at_its_address_and_everybody_is_still_logged_in(used: Door) -> None:
    before = used.pids()["console-1"]
    with logged_in(used, "eve") as eve:
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: used.pids().get("console-1") not in (None, before) and used.is_ready())

        assert eve.get("/actions").status_code == 200


def test_no_room_needs_it(used: Door) -> None:
    used.up("--consoles", "0")
    answer = post(used, "without")
    none = used.status()["console"]
    used.up("--consoles", "1")

    assert (answer.status_code, none) == (200, None)
    assert httpx2.get(f"{used.status()['console']}/login").status_code == 200


@pytest.mark.promise("P-DOOR-13")
def test_the_commands_for_its_tokens_say_what_is_wrong(used: Door) -> None:
    added = used.run("console-tokens", "add", "dan", "--expires", "1h")
    again = used.run("console-tokens", "add", "dan")
    wrong = used.run("console-tokens", "add", "dora", "--expires", "soon")
    listed = used.run("console-tokens", "list")
    revoked = used.run("console-tokens", "revoke", "dan")
    gone = used.run("console-tokens", "revoke", "nobody")

    assert (added.returncode, len(added.stdout.strip())) == (0, 43)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert (wrong.returncode, "say 12h or 30d" in wrong.stderr) == (1, True)
    assert added.stdout.strip() not in listed.stdout
    assert (revoked.returncode, gone.returncode) == (0, 1)


def test_a_port_that_is_taken_is_told_where_somebody_asked_for_it(used: Door, tmp_path: Path) -> None:
    port = used.status()["console"].rpartition(":")[2]
    other = Door(tmp_path / "other", {"PROFUSE_CONSOLE_PORT": port, "PROFUSE_POSTGRES": "postgresql://x@127.0.0.1:9/x"})
    done = other.run("up", "--port", "0")

    assert done.returncode == 1
    assert f"cannot listen on port {port}" in done.stderr
