"""Stacks on servers that others run."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.settings import Settings
from tests.stack.door import Door, profuse, wait_until


@pytest.mark.promise("P-DOOR-02", "P-DOOR-11", "P-DOOR-12")
def test_two_directories_are_two_stacks(one: Door, other: Door) -> None:
    apis = {one.status()["api"], other.status()["api"]}
    other.run("down")

    assert len(apis) == 2
    assert other.pids() == {}
    assert list(one.pids()) == ["gateway-1"]
    assert one.is_ready()


@pytest.mark.promise("P-DOOR-13")
def test_a_taken_port_is_said_in_one_line(one: Door, tmp_path: Path) -> None:
    port = one.status()["api"].rpartition(":")[2]
    done = profuse("up", "--port", port, "--dir", str(tmp_path / "another"))

    assert done.returncode == 1
    assert done.stderr.startswith(f"profuse: Cannot listen on 127.0.0.1:{port} (Address already in use): free it, or name another port")
    assert done.stderr.count("\n") == 1


@pytest.mark.promise("P-DOOR-06")
def test_nothing_that_runs_is_not_ready(tmp_path: Path) -> None:
    done = profuse("status", "--json", "--dir", str(tmp_path))

    assert done.returncode == 1
    assert (
        done.stdout == '{"api": null, "console": null, "kafka": null, "postgres": null, "mail": null, "processes": [], "providers": []}\n'
    )


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["up", "--zebra"], 2, "profuse: No such option: --zebra (`--help` shows how)\n"),
        (["apply", "there-is-none.toml"], 1, "profuse: there-is-none.toml cannot be read: No such file or directory\n"),
        (
            ["launches", "list"],
            1,
            "profuse: No stack runs in /nowhere: start it with `profuse up`, or set PROFUSE_KAFKA and PROFUSE_POSTGRES.\n",
        ),
    ],
)
def test_a_failure_is_one_line(arguments: list[str], code: int, line: str) -> None:
    done = profuse(*arguments, PROFUSE_DIR="/nowhere")

    assert (done.returncode, done.stderr) == (code, line)


@pytest.mark.promise("P-DOOR-13")
def test_a_gateway_without_its_tables_says_what_to_do_in_one_line(settings: Settings) -> None:
    done = profuse(
        "gateway", PROFUSE_KAFKA=settings.kafka, PROFUSE_POSTGRES=settings.postgres, PROFUSE_PREFIX=settings.prefix, PROFUSE_HEALTH_PORT="0"
    )

    assert (done.returncode, done.stderr) == (1, "profuse: gateway stops: tables or topics are missing or old: run `profuse migrate`\n")


@pytest.mark.promise("P-DOOR-13")
def test_a_gateway_whose_database_does_not_exist_ends_with_one_line(migrated: Settings) -> None:
    named = {f"PROFUSE_{name.upper()}": getattr(migrated, name) for name in ("kafka", "prefix")}
    address = migrated.postgres.rpartition("/")[0] + "/there_is_none?password=secret"
    done = profuse("gateway", PROFUSE_POSTGRES=address, PROFUSE_HEALTH_PORT="0", **named)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "there_is_none" in done.stderr
    assert "secret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.promise("P-DOOR-07")
def test_a_stack_in_the_foreground_ends_with_its_terminal(one: Door, tmp_path: Path) -> None:
    directory = Door(tmp_path / "foreground", one.environment)
    command = [
        sys.executable,
        "-m",
        "profuse",
        "up",
        "--port",
        "0",
        "--matchers",
        "0",
        "--launchers",
        "0",
        "--hooks",
        "0",
        "--consoles",
        "0",
    ]
    with subprocess.Popen(command, env=os.environ | one.environment | {"PROFUSE_DIR": str(directory.directory)}) as foreground:
        wait_until(lambda: "gateway-1" in directory.pids())
        foreground.send_signal(signal.SIGHUP)
        foreground.wait(15)

    assert directory.pids() == {}
