"""Which processes still live, when numbers are given again."""

from pathlib import Path

import psutil

from profuse.stack import state
from profuse.stack.state import Identity, State


def identity_of(pid: int) -> Identity:
    return Identity(pid=pid, started=psutil.Process(pid).create_time())


def process_of(identity: Identity) -> psutil.Process | None:
    """None once it has ended."""
    try:
        found = psutil.Process(identity.pid)
        same = found.create_time() == identity.started and found.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return found if same else None


def supervised(directory: Path) -> State | None:
    """A stack's state, if its supervisor lives."""
    found = state.read(directory)
    return found if found and process_of(found.supervisor) else None
