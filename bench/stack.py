"""A stack that lives for one run, with the account that is measured."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.account import FILE
from profuse.stack import state

# Where launches leave, as many as there are matchers.
LAUNCHERS = os.cpu_count() or 1
_PROFUSE = str(Path(sys.executable).with_name("profuse"))


@dataclass(frozen=True)
class Stack:
    """Where it runs, and how its edges are reached."""

    directory: Path
    api: str
    postgres: str
    # PROFUSE_* variables beside everybody's.
    settings: Mapping[str, str]

    @contextmanager
    def launching(self, launchers: int) -> Iterator[None]:
        """With so many launchers meanwhile, instead of one."""
        self.resize("--launchers", str(launchers))
        try:
            yield
        finally:
            self.resize("--launchers", "1")

    def resize(self, *options: str) -> None:
        """Other counts, by options of `profuse up`; returns when all are ready."""
        _run("up", "--detach", *options, directory=self.directory, settings=self.settings)


@contextmanager
def running(*options: str, settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Started with these options of `profuse up` and these PROFUSE_* variables; stopped and deleted afterwards."""
    # Else the stack would outlive a run that is told to stop.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="profuse-bench-", ignore_cleanup_errors=True) as root:
        # Postgres does not run as root, and the user that it runs as must get in.
        Path(root).chmod(0o755)
        directory = Path(root, "stack")
        configuration = Path(root, "bench.toml")
        configuration.write_text(FILE)
        try:
            _run("up", "--detach", "--port", "0", *options, directory=directory, settings=settings or {})
            _run("apply", str(configuration), directory=directory)
            status = state.read(directory)
            if status is None or status.api is None:
                raise RuntimeError("the stack is up, and told nobody where")
            yield Stack(directory, status.api, status.postgres, settings or {})
        finally:
            _run("down", "--wipe", directory=directory)


def _run(*command: str, directory: Path, settings: Mapping[str, str] | None = None) -> None:
    subprocess.run([_PROFUSE, *command, "--dir", str(directory)], check=True, env=os.environ | (settings or {}))
