"""`down`: stop the stack of a directory, whoever supervises it."""

from pathlib import Path

import psutil

from profuse.stack import leftovers, state
from profuse.stack.process_identity import process_of

# The supervisor itself needs less than 10 s.
_PATIENCE = 15.0


def stop(directory: Path) -> bool:
    """False when nothing ran."""
    running = state.read(directory)
    if running is None:
        return False
    if supervisor := process_of(running.supervisor):
        supervisor.terminate()
        _, deaf = psutil.wait_procs([supervisor], timeout=_PATIENCE)
        for process in deaf:
            process.kill()
    # It leaves a state behind only where it could not stop everything itself.
    if left := state.read(directory):
        leftovers.stop(left)
        state.forget(directory)
    return True
