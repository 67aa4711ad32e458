"""The operator's door, used as a shell would."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from profuse.stack.status import is_all_ready, report


@dataclass(frozen=True)
class Door:
    """The commands, for one directory."""

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return profuse(*arguments, PROFUSE_DIR=str(self.directory), **self.environment)

    def up(self, *arguments: str) -> str:
        done = self.run("up", "--detach", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> dict[str, Any]:
        reported: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return reported

    def pids(self, *, ready: bool = False) -> dict[str, int]:
        """Of all that were started, or of those that live and answer: one that was killed keeps its pid until the next is started."""
        # Without a process for each look.
        processes = asyncio.run(report(self.directory))["processes"]
        return {process["name"]: process["pid"] for process in processes if process["ready"] or not ready}

    def is_ready(self) -> bool:
        return is_all_ready(self.directory, asyncio.run(report(self.directory)))

    def supervisor(self) -> int:
        pid: int = json.loads((self.directory / "state.json").read_text())["supervisor"]["pid"]
        return pid


def profuse(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("PROFUSE_")}
    command = [sys.executable, "-m", "profuse", *arguments]
    return subprocess.run(command, env=others | environment, capture_output=True, text=True, timeout=90, check=False)


def wait_until(holds: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
