"""What a supervisor that was killed left running."""

import signal

from profuse.stack.process_identity import ended, process_of
from profuse.stack.state import State

_PATIENCE = 5.0


def stop(state: State) -> list[str]:
    """End the processes that a state names and that still run; returns their names."""
    found = {running.name: process_of(running.identity) for running in state.processes}
    left = {name: process for name, process in found.items() if process is not None}
    for name, process in left.items():
        # Postgres takes SIGTERM as: wait for every client to leave.
        process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
    ended(left.values(), _PATIENCE)
    return list(left)
