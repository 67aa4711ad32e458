"""`profuse top`, on a stack that does something."""

import pytest

from tests.stack.door import Door, profuse


@pytest.mark.promise("P-WATCH-05", "P-DOOR-13")
def test_one_frame_says_what_each_room_of_a_stack_does(used: Door) -> None:
    done = used.run("top", "--once", "--interval", "0.5")
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}

    assert (done.returncode, done.stderr) == (0, "")
    assert [lines[room].split()[1] for room in ("gateway", "matcher", "launcher", "hooks")] == ["1/1"] * 4
    assert "requests/s" in lines["gateway"]


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--once"], 1, "profuse: No stack runs in /nowhere: start it with `profuse up`, or name processes with --at ROOM=URL.\n"),
        (
            ["--at", "kitchen=http://127.0.0.1:1"],
            2,
            "profuse: Invalid value: kitchen=http://127.0.0.1:1 is not ROOM=URL; a room is one of gateway,",
        ),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(arguments: list[str], code: int, line: str) -> None:
    done = profuse("top", *arguments, PROFUSE_DIR="/nowhere")

    assert (done.returncode, done.stderr[: len(line)], done.stderr.count("\n")) == (code, line, 1)


def test_a_process_elsewhere_is_shown_by_its_address(used: Door) -> None:
    (url,) = (process["url"] for process in used.status()["processes"] if process["room"] == "matcher")
    done = used.run("top", "--once", "--interval", "0.1", "--at", f"matcher={url}", "--at", "hooks=http://127.0.0.1:1")
    lines = [line.split() for line in done.stdout.splitlines()]

    assert done.returncode == 0
    assert [line[:2] for line in lines[2:4]] == [["matcher", "1/1"], ["hooks", "0/1"]]
    assert lines[4][:4] == ["hooks-2", "does", "not", "answer"]
