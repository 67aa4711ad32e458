"""Who supervises the stack of a directory: whoever holds its lock, which names him and ends with him, so that none is ever stale."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import ValidationError

from profuse.stack.process_identity import identity_of, process_of
from profuse.stack.state import Identity
from runtime.errors import CannotRun

_TRIES, _MOMENT = 10, 0.02


class AlreadySupervised(CannotRun):
    """Another process supervises the stack of this directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"The stack in {directory} is being started or stopped: try again in a moment.")


@contextmanager
def held(directory: Path, inherited: int | None = None) -> Iterator[int]:
    """By one process at a time, or by one to which another passed its descriptor, which is what is yielded. Raises `AlreadySupervised`."""
    descriptor = _open(directory) if inherited is None else inherited
    try:
        os.set_inheritable(descriptor, False)
        if inherited is None:
            _take(directory, descriptor)
        pass_on(descriptor, identity_of(os.getpid()))
        yield descriptor
    finally:
        os.close(descriptor)


def pass_on(descriptor: int, to: Identity) -> None:
    """To a process that was started with it."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, to.model_dump_json().encode(), 0)


def holder(directory: Path) -> psutil.Process | None:
    """Who supervises it, from the first moment on; None: nobody does. Raises `AlreadySupervised` where it does not say who it is."""
    if not _file(directory).exists():
        return None
    descriptor = _open(directory)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        found = _named(descriptor)
        if found is None:
            raise AlreadySupervised(directory) from None
        return found
    finally:
        os.close(descriptor)
    return None


def _take(directory: Path, descriptor: int) -> None:
    # Whoever asks who holds it holds it for a moment, too.
    if not any(_is_ours(descriptor) for _ in range(_TRIES)):
        raise AlreadySupervised(directory)
    # Else somebody deleted it with the directory, after it was opened here.
    if os.fstat(descriptor).st_nlink == 0:
        raise AlreadySupervised(directory)


def _is_ours(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        time.sleep(_MOMENT)
        return False
    return True


def _named(descriptor: int) -> psutil.Process | None:
    """None where it was taken a moment ago, or by an older release."""
    try:
        return process_of(Identity.model_validate_json(os.pread(descriptor, 1024, 0)))
    except ValidationError:
        return None


def _open(directory: Path) -> int:
    return os.open(_file(directory), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _file(directory: Path) -> Path:
    return directory / "lock"
