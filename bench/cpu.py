"""CPU time by room, from the operating system's accounting."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from profuse.stack import state
from profuse.stack.process_identity import process_of

BROKER = "kafka"


def spent(directory: Path) -> dict[str, float]:
    """Seconds that a stack's processes have taken so far."""
    running = state.read(directory)
    if running is None:
        return {}
    taken: defaultdict[str, float] = defaultdict(float)
    for room, identity in [("supervisor", running.supervisor), *((each.room, each.identity) for each in running.processes)]:
        if (process := process_of(identity)) is not None:
            # The supervisor's children are the rooms.
            taken[room] += _of(process, children=room != "supervisor")
    return taken


def since(before: Mapping[str, float], directory: Path) -> dict[str, float]:
    return {room: seconds - before.get(room, 0) for room, seconds in spent(directory).items()}


def _of(process: psutil.Process, *, children: bool) -> float:
    """With its children's, also of those that have ended."""
    total = 0.0
    for each in [process, *(process.children(recursive=True) if children else ())]:
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system + (times.children_user + times.children_system if children else 0)
    return total
