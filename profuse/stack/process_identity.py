"""Which processes still live, when numbers are given again."""

from collections.abc import Iterable
from pathlib import Path

import psutil

from profuse.stack import state
from profuse.stack.state import Identity, State

# Linux counts a process's start in hundredths.
_EQUAL = 0.005


def identity_of(pid: int) -> Identity:
    return Identity(pid=pid, started=_started(psutil.Process(pid)))


def process_of(identity: Identity) -> psutil.Process | None:
    """None once it has ended."""
    try:
        found = psutil.Process(identity.pid)
        same = abs(_started(found) - identity.started) < _EQUAL and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return found if same else None


def ended(asked: Iterable[psutil.Process], seconds: float) -> None:
    """Returns when all who were asked to end have; whoever takes longer is killed."""
    _, deaf = psutil.wait_procs(asked, timeout=seconds)
    for process in deaf:
        process.kill()
    psutil.wait_procs(deaf)


def supervised(directory: Path) -> State | None:
    """A stack's state, if its supervisor lives."""
    found = state.read(directory)
    return found if found and process_of(found.supervisor) else None


def _started(process: psutil.Process) -> float:
    """Seconds after the machine's own start: the time of day would be another one when the clock was set meanwhile."""
    return process.create_time() - psutil.boot_time()
