"""A stack that lives for one run, with the account that is measured."""

import json
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

_PROFUSE = str(Path(sys.executable).with_name("profuse"))


@dataclass(frozen=True)
class Stack:
    """Where it runs, and how its edges are reached."""

    directory: Path
    api: str
    postgres: str


@contextmanager
def running(*options: str, settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Started with these options of `profuse up` and these PROFUSE_* variables; stopped and deleted afterwards."""
    environment = os.environ | (settings or {})
    # Else the stack would outlive a run that is told to stop.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="profuse-bench-", ignore_cleanup_errors=True) as root:
        # Postgres does not run as root, and the user that it runs as must get in.
        Path(root).chmod(0o755)
        directory = Path(root, "stack")
        found = ["--dir", str(directory)]
        configuration = Path(root, "bench.toml")
        configuration.write_text(FILE)
        try:
            subprocess.run([_PROFUSE, "up", "--detach", "--port", "0", *options, *found], check=True, env=environment)
            subprocess.run([_PROFUSE, "apply", str(configuration), *found], check=True)
            status = json.loads(subprocess.run([_PROFUSE, "status", "--json", *found], check=True, capture_output=True).stdout)
            yield Stack(directory, status["api"], status["postgres"])
        finally:
            subprocess.run([_PROFUSE, "down", "--wipe", *found], check=True)
