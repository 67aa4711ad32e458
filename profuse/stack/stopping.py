"""`down`: stop the stack of a directory, whoever supervises it."""

from pathlib import Path

from profuse.stack import leftovers, lock, state
from profuse.stack.process_identity import ended

# The supervisor itself needs less than 10 s.
_PATIENCE = 15.0


def stop(directory: Path) -> bool:
    """False when nothing ran; raises `AlreadySupervised` when who supervises it cannot be told."""
    if supervisor := lock.holder(directory):
        supervisor.terminate()
        ended([supervisor], _PATIENCE)
    # It leaves a state behind only where it could not stop everything itself.
    left = state.read(directory)
    if left:
        leftovers.stop(left)
        state.forget(directory)
    return supervisor is not None or left is not None
