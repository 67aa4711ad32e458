"""What a process does whose log lies on a disk without room, by files that may not grow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FULL = Path("/dev/full")
SETTING = "PROFUSE_PARTITONS"

# Lines that have room, lines that have none, and one after there is room again.
_FILLING = """
import resource
from runtime import logs
from schemas.settings import Settings
import structlog
logs.configure(Settings())
log = structlog.get_logger()
log.warning("before")
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
for number in range(300):
    log.warning("meanwhile", number=number)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
log.warning("after")
log.warning("last")
"""
_SAYING = """
import logging, sys
from runtime import logs
from schemas.settings import Settings
import structlog
logs.configure(Settings(log_format=sys.argv[1]))
structlog.get_logger().warning(sys.argv[2])
logging.getLogger("library").warning("of a library")
print("on stderr", file=sys.stderr, flush=True)
sys.stdout.flush()
sys.exit(7)
"""


@pytest.mark.promise("P-OPS-57")
@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nothing_fails_by_a_line_for_which_the_log_has_no_room(form: str, unbuffered: str) -> None:
    with FULL.open("wb") as full:
        process = _python("-c", _SAYING, form, "of_ours", output=full, PYTHONUNBUFFERED=unbuffered)

    assert process.returncode == 7


@pytest.mark.promise("P-OPS-57")
def test_a_log_that_has_room_again_says_how_many_lines_are_lost(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("ab") as output:
        process = _python("-c", _FILLING, output=output, PYTHONUNBUFFERED="")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    shown = [line["number"] for line in lines if line["event"] == "meanwhile"]

    assert process.returncode == 0
    assert shown == list(range(len(shown)))
    assert len(shown) < 300
    assert [(line["event"], line.get("lines")) for line in lines if line["event"] != "meanwhile"] == [
        ("before", None),
        ("after", None),
        ("log_lines_lost", 300 - len(shown)),
        ("last", None),
    ]


@pytest.mark.promise("P-OPS-57")
def test_a_line_that_the_terminal_cannot_spell_is_told_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("ab") as output:
        _python("-c", _SAYING, "console", "lone \udcff", output=output, PYTHONIOENCODING="ascii:strict")

    assert r"lone \udcff" in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.promise("P-OPS-57")
def test_a_process_starts_although_there_is_no_room_for_what_it_says_first() -> None:
    with FULL.open("wb") as full:
        process = _python("-m", "profuse", "settings", output=subprocess.PIPE, errors=full, **{SETTING: "3"})

    assert process.returncode == 0
    assert b"PROFUSE_PARTITIONS" in process.stdout


def _python(*arguments: str, output: Any, errors: Any = subprocess.STDOUT, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, *arguments], env=os.environ | environment, stdout=output, stderr=errors, timeout=60, check=False)
