"""Decisions of the local stack."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
import typer

from profuse.__main__ import app
from profuse.stack import directory as directories
from profuse.stack import lock, wanted
from profuse.stack.finding import directory_of
from profuse.stack.keeper import pause
from profuse.stack.mail import keep
from profuse.stack.ports import take
from profuse.stack.process_identity import identity_of, process_of
from profuse.stack.state import Identity
from profuse.stack.stopping import stop
from runtime.errors import CannotRun


@pytest.mark.promise("P-DOOR-03")
def test_pauses_grow_up_to_ten_seconds() -> None:
    assert [pause(failures) for failures in (1, 2, 3, 9)] == [0.5, 1, 2, 10]


@pytest.mark.promise("P-DOOR-01")
def test_a_count_left_out_is_what_runs_or_one() -> None:
    first = wanted.adjusted({"matcher": 3}, running=None)
    second = wanted.adjusted({"gateway": 0}, running=first)

    assert first.counts == {"gateway": 1, "matcher": 3, "launcher": 1, "hooks": 1, "console": 1}
    assert second.counts == {"gateway": 0, "matcher": 3, "launcher": 1, "hooks": 1, "console": 1}
    assert second.id != first.id


def test_a_number_that_was_given_again_is_another_process() -> None:
    mine = identity_of(os.getpid())

    assert process_of(mine) is not None
    assert process_of(Identity(pid=mine.pid, started=mine.started - 1)) is None


def test_a_clock_that_is_set_makes_nobody_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, at = identity_of(os.getpid()), psutil.boot_time()
    monkeypatch.setattr("psutil._psplatform.boot_time", lambda: at + 3600)

    assert process_of(mine) is not None


def test_a_stack_that_is_being_started_is_stopped_and_not_deleted_before(tmp_path: Path) -> None:
    directories.make(tmp_path)
    starting = "import sys; from pathlib import Path; from profuse.stack.lock import held"
    holding = f"{starting}\nwith held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", holding, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(lock.AlreadySupervised):
            directories.wipe(tmp_path)
        assert stop(tmp_path)
        assert process.poll() is not None

    assert not stop(tmp_path)
    assert directories.wipe(tmp_path)


def test_a_stack_that_was_asked_for_is_not_deleted_before_it_has_begun(tmp_path: Path) -> None:
    directories.make(tmp_path)
    with lock.held(tmp_path) as descriptor:
        begun = subprocess.Popen(["/bin/sleep", "60"], pass_fds=(descriptor,))
        lock.pass_on(descriptor, identity_of(begun.pid))

    with pytest.raises(lock.AlreadySupervised):
        directories.wipe(tmp_path)
    assert stop(tmp_path)
    assert begun.poll() is not None
    assert directories.wipe(tmp_path)


def test_whoever_looks_who_holds_a_lock_keeps_nobody_from_taking_it(tmp_path: Path) -> None:
    looking = os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.05, os.close, [looking]).start()

    with lock.held(tmp_path):
        assert lock.holder(tmp_path) is not None


def test_who_was_given_a_lock_names_himself_in_it(tmp_path: Path) -> None:
    with lock.held(tmp_path) as descriptor:
        lock.pass_on(descriptor, Identity(pid=1, started=1.0))
        with lock.held(tmp_path, os.dup(descriptor)):
            assert (found := lock.holder(tmp_path)) is not None
            assert found.pid == os.getpid()


def test_nobody_is_stopped_whom_a_lock_does_not_name(tmp_path: Path) -> None:
    gone = identity_of(os.getpid()).model_copy(update={"started": 1.0})
    with lock.held(tmp_path):
        for named in ("", gone.model_dump_json()):
            (tmp_path / "lock").write_text(named)
            with pytest.raises(lock.AlreadySupervised):
                stop(tmp_path)


def test_a_lock_that_was_deleted_with_its_directory_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(descriptor: int, how: int) -> None:
        (tmp_path / "lock").unlink()

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(lock.AlreadySupervised), lock.held(tmp_path):
        pass


def test_a_directory_is_supervised_by_one_at_a_time(tmp_path: Path) -> None:
    with lock.held(tmp_path), pytest.raises(lock.AlreadySupervised), lock.held(tmp_path):
        pass
    with lock.held(tmp_path):
        pass


def test_a_port_is_remembered_while_it_is_free(tmp_path: Path) -> None:
    assert directories.port(tmp_path, "kafka") == directories.port(tmp_path, "kafka") != directories.port(tmp_path, "postgres")


def test_two_who_look_for_ports_at_the_same_time_are_given_different_ones() -> None:
    other = "import sys; from profuse.stack.ports import free_port; print([free_port() for _ in range(40)], flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", other], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        theirs = json.loads(process.stdout.readline())
        assert not any(take(port) for port in theirs)
        process.kill()
    assert len(set(theirs)) == 40
    assert all(take(port) for port in theirs)


@pytest.mark.promise("P-DOOR-13")
def test_a_directory_that_is_none_or_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="is no directory"):
        directory_of(tmp_path / "file")
    with pytest.raises(CannotRun, match="cannot be made"):
        directories.make(tmp_path / "file" / "stack")


@pytest.mark.promise("P-DOOR-16")
def test_mails_are_kept_whole_in_the_order_of_delivery(tmp_path: Path) -> None:
    kept = [keep(tmp_path, mail) for mail in (b"one", b"two")]

    assert sorted(tmp_path.iterdir()) == kept
    assert [file.read_bytes() for file in kept] == [b"one", b"two"]


@pytest.mark.promise("P-DOOR-13")
def test_every_command_shows_an_example() -> None:
    root = typer.main.get_command(app)
    groups = [root, root.commands["launches"]]  # type: ignore[attr-defined]
    commands = [command for group in groups for command in group.commands.values() if not hasattr(command, "commands")]

    assert len(commands) > 10
    assert [command.name for command in commands if "Example: " not in (command.help or "")] == []
