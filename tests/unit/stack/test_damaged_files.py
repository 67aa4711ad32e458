"""What a power failure may leave of the files that a stack writes: the command that reads one says what to do about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from profuse import __main__
from profuse.stack import directory as directories
from profuse.stack import files, state, wanted
from profuse.stack.starting import change
from profuse.stack.state import Identity, State
from runtime.errors import CannotRun

DAMAGED = ["", "\0" * 512, "[]", '{"supervisor"']
STATE = State(supervisor=Identity(pid=1, started=1.0), kafka="k", postgres="p", smtp="s")


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize("text", DAMAGED)
@pytest.mark.parametrize("command", ["status", "down", "up", "migrate"])
def test_a_damaged_state_is_told_with_its_name_and_not_as_a_setting(tmp_path: Path, text: str, command: str) -> None:
    directories.make(tmp_path)
    (tmp_path / "state.json").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "profuse", command, "--dir", str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"profuse: {tmp_path / 'state.json'} is damaged: ")
    assert len(done.stderr.splitlines()) == 1
    assert "delete that file" in done.stderr


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize("text", DAMAGED)
def test_the_other_files_are_told_alike(tmp_path: Path, text: str) -> None:
    for name in ("ports.json", "wanted.json"):
        (tmp_path / name).write_text(text)

    with pytest.raises(CannotRun, match=r"ports\.json is damaged: delete"):
        directories.port(tmp_path, "kafka")
    with pytest.raises(CannotRun, match=r"wanted\.json is damaged: delete"):
        change(tmp_path, STATE, {}, None)


@pytest.mark.promise("P-DOOR-13")
def test_without_these_files_a_stack_begins_anew(tmp_path: Path) -> None:
    assert (state.read(tmp_path), wanted.read(tmp_path)) == (None, None)
    assert directories.port(tmp_path, "kafka") == directories.port(tmp_path, "kafka")


def test_what_is_no_setting_is_not_told_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "app", lambda **_: State.model_validate_json("{}"))

    with pytest.raises(ValidationError, match="State"):
        __main__.main()


def test_what_replaces_a_file_is_on_the_disk_before_it_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, fsync = tmp_path / "state.json", os.fsync
    file.write_text("old")
    seen: list[tuple[str, str]] = []

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        seen.append((file.read_text(), Path(f"/proc/self/fd/{descriptor}").read_text()))

    monkeypatch.setattr(os, "fsync", watched)
    files.replace(file, "new")

    assert seen == [("old", "new")]
    assert file.read_text() == "new"
