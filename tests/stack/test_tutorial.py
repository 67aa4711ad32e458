"""docs/tutorial.md is followed by a reader with a shell: each command as it stands there, each answer as it is shown."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from profuse.stack.ports import free_port
from tests.pages import Example, examples, prints_as_shown
from tests.programs import program
from tests.stack.door import profuse, wait_until

pytestmark = [pytest.mark.promise("P-DOCS-02"), pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
# As the page spells it.
ADDRESS = "127.0.0.1:8080"
COUNT = 16


class Shell:
    """A bash that stays, as a terminal would."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._bash = subprocess.Popen(
            [program("bash", "your system"), "--norc"],
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, code: str) -> str:
        """What it printed."""
        end = secrets.token_hex(8)
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{code}\nprintf '\\n%s\\n' {end}\n")
        self._bash.stdin.flush()
        printed = ""
        for line in self._bash.stdout:
            if line.strip() == end:
                return printed
            printed += line
        raise AssertionError(f"the shell has ended: {printed}")

    def close(self) -> None:
        self._bash.communicate("exit\n", timeout=10)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """In a checkout that nothing was run in yet; port 8080, which may be taken here, leads to the stack's own."""
    program("curl", "your system")
    program("make", "your system")
    # Postgres' own user must get in, and pytest's folders are closed.
    for entry in ROOT.iterdir():
        if not entry.name.startswith("."):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    # Else the page's own `make setup` would install into the environment that this test runs in.
    assert subprocess.run(["make", "--question", ".venv/installed"], cwd=tmp_path, check=False).returncode == 0, "run `make setup` first"  # noqa: S607
    port = free_port()
    (tmp_path / ".curlrc").write_text(f'silent\nconnect-to = "{ADDRESS}:127.0.0.1:{port}"\n')
    # Whoever runs the tests by make has told it things that are not meant here.
    others = {name: value for name, value in os.environ.items() if not name.startswith(("PROFUSE_", "MAKE", "MFLAGS"))}
    shell = Shell(tmp_path, others | {"CURL_HOME": str(tmp_path), "PROFUSE_PORT": str(port), "PROFUSE_CONSOLE_PORT": str(free_port())})
    yield shell
    profuse("down", "--wipe", PROFUSE_DIR=str(tmp_path / ".profuse"))
    shell.close()


def follow(shell: Shell, example: Example) -> None:
    """Whoever is to see something soon looks again."""
    printed = [shell.run(example.code)]

    def is_shown() -> bool:
        if example.prints is None or prints_as_shown(printed[-1], example.prints):
            return True
        if example.soon:
            printed.append(shell.run(example.code))
        return False

    try:
        wait_until(is_shown, seconds=30 if example.soon else 0)
    except AssertionError:
        raise AssertionError(f"{example.code}\nprinted\n{printed[-1]}\nand not\n{example.prints}") from None


def test_the_tutorial_shows_what_happens(shell: Shell) -> None:
    found = list(examples(PAGE.read_text(), "sh"))
    for example in found:
        follow(shell, example)

    assert len(found) == COUNT


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ('{"id":"01a227b221a01971405e43e5"}', '{"id":"019f3c1b2a4d5e6f70819203"}\n', True),
        ("Ready: http://127.0.0.1:5 (mail: /tmp/x/mail)\n", "…\nReady: http://127.0.0.1:8080 (mail: …/mail)\n", True),
        ("Starting\nReady\n", "…\nReady\n", True),
        ("Starting\nReady\n", "Ready\n", False),
        ("1\n", "2\n", False),
        ("a.c", "abc", False),
    ],
)
def test_what_is_shown_is_told_from_what_is_not(printed: str, shown: str, same: bool) -> None:
    assert prints_as_shown(printed, shown) is same
