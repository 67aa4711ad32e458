"""The stack that is tortured: its own, in a directory of its own, and what faults do to its processes."""

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx2
import psutil

from profuse.plain_http import plain_client
from profuse.stack import state
from profuse.stack.process_identity import process_of
from profuse.stack.readiness import is_ready
from profuse.stack.state import RunningProcess
from profuse.stack.wanted import option as option_of
from profuse.torture.receiving.apart import Receiver
from runtime.errors import CannotRun

COUNTS = {"gateway": 2, "matcher": 2, "launcher": 2, "hooks": 2}
# Shorter than a freeze, so that whoever is frozen wakes up as a zombie.
LEASE = 8
SESSION = 8
# So that a request is answered 202 while its faults last.
REPLY_DEADLINE = 10

SETTINGS = {
    "PROFUSE_LEASE": f"PT{LEASE}S",
    "PROFUSE_SESSION_TIMEOUT": f"PT{SESSION}S",
    "PROFUSE_REPLY_DEADLINE": f"PT{REPLY_DEADLINE}S",
    # A day of a minute. A Request-ID is remembered for longer than any producer repeats it.
    "PROFUSE_BATCH_KEPT": "PT1M",
    "PROFUSE_FAILURES_KEPT": "PT1M",
    "PROFUSE_RECORDS_KEPT": "PT1M",
    "PROFUSE_REQUEST_ID_KEPT": "PT3M",
    "PROFUSE_RETENTION_EVERY": "PT5S",
    # What a server defers for so long fails.
    "PROFUSE_LAUNCH_PATIENCE": "PT5M",
}

_CHANGED_WITHIN = 45.0
_RETURNED_WITHIN = 60.0


class Impossible(Exception):
    """This machine does not let us do this to a process."""


@dataclass(frozen=True)
class Ground:
    """Where one fault happens, and the dice that it throws."""

    directory: Path
    random: Random = field(default_factory=Random)
    # What was sent to whom, by room and name.
    signals: Counter[tuple[str, str]] = field(default_factory=Counter)
    # Who gets webhooks and events.
    receiver: Receiver | None = None

    @property
    def state(self) -> state.State:
        found = state.read(self.directory)
        if found is None:
            raise CannotRun(f"The stack in {self.directory} is gone: see its log/supervisor.log.")
        return found

    def processes(self, *rooms: str) -> list[RunningProcess]:
        """Sorted, so that equal dice mean equal victims."""
        return sorted((process for process in self.state.processes if process.room in rooms), key=lambda process: process.name)

    def victim(self, *rooms: str) -> RunningProcess | None:
        """One of the rooms' processes; None if there is none."""
        found = self.processes(*rooms)
        return self.random.choice(found) if found else None

    def signal(self, victim: RunningProcess | None, number: signal.Signals) -> None:
        """Whoever has ended by another fault needs no signal."""
        process = None if victim is None else process_of(victim.identity)
        if victim is None or process is None:
            return
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return
        self.signals[victim.room, number.name] += 1

    async def returned(self, room: str, before: int | None) -> None:
        """Wait until a server answers again, under another number."""
        deadline = time.monotonic() + _RETURNED_WITHIN
        while time.monotonic() < deadline:
            for process in self.processes(room):
                if process.identity.pid != before and await is_ready(process.url):
                    return
            await asyncio.sleep(0.05)

    async def up(self, counts: Mapping[str, int]) -> None:
        """Ask for other counts; while it is being broken a stack may need longer than we wait."""
        options = [option for room, count in counts.items() for option in (option_of(room), str(count))]
        asked = await profuse("up", "--detach", "--dir", str(self.directory), *options)
        try:
            async with asyncio.timeout(_CHANGED_WITHIN):
                await asked.communicate()
        except TimeoutError:
            asked.kill()
            await asked.wait()


async def profuse(*arguments: str) -> asyncio.subprocess.Process:
    """Start one of our own commands, silently."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "profuse", *arguments, stdout=pipe, stderr=asyncio.subprocess.STDOUT)


async def is_healthy(process: RunningProcess) -> bool:
    async with plain_client(timeout=1) as client:
        try:
            return (await client.get(f"{process.url}/readyz")).is_success
        except httpx2.HTTPError:
            return False


def forget_the_environment() -> None:
    """A stack of its own asks for nobody else's servers; what is left is ours."""
    for name in [name for name in os.environ if name.startswith("PROFUSE_")]:
        del os.environ[name]
    os.environ.update(SETTINGS)
