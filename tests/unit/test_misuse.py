"""What commands are given that nobody would give them on purpose: a line, before anything is asked of a server."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.exceptions import TyperException
from typer.testing import CliRunner

from profuse.__main__ import app
from runtime.errors import CannotRun


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "1e300", "86401"])
def test_nobody_waits_for_ever_for_what_becomes_of_dead_letters(seconds: str) -> None:
    done = CliRunner().invoke(app, ["dead-letters", "replay", "--all", "--wait", seconds], standalone_mode=False)

    assert isinstance(done.exception, TyperException)
    assert "--wait" in done.exception.format_message()


@pytest.mark.promise("P-DOOR-13", "P-DOOR-37")
@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--reason", "An empty reason says nothing"),
        ("--batch", "is no batch id"),
        ("--account", "valid integer"),
        ("--trigger", "valid integer"),
        ("--until", "does not match"),
    ],
)
@pytest.mark.parametrize("command", [["failed"], ["replay"], ["replay", "--dry-run"]], ids=" ".join)
def test_a_variable_of_a_script_that_is_empty_does_not_mean_all_failed_launches(command: list[str], option: str, words: str) -> None:
    done = CliRunner().invoke(app, ["launches", *command, option, ""], standalone_mode=False)

    assert words in str(done.exception)


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize("content", ["{", "9" * 5_000, "[" * 3_000, "[]"])
def test_content_that_is_no_json_object_is_told_in_a_line(content: str) -> None:
    done = CliRunner().invoke(app, ["triggers", "render", "8", "--profile", "0" * 24, "--content", content])

    assert isinstance(done.exception, CannotRun)
    assert str(done.exception).startswith("--content ")
    assert "\n" not in str(done.exception)


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize("arguments", [["settings"], ["settings", "--env"], ["--help"]], ids=" ".join)
def test_words_that_find_no_room_are_told_of_in_a_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "profuse", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["profuse: No space left on device: make room; what was done until now is done, though not told."],
    )
