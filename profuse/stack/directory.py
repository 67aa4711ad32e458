"""The directory of a stack: whose it is, who supervises it, and which ports it remembers."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from pydantic import ValidationError

from profuse.stack import state
from profuse.stack.ports import free_port, take
from profuse.stack.process_identity import identity_of, process_of
from profuse.stack.state import Identity
from runtime.errors import CannotRun


class AlreadySupervised(CannotRun):
    """Another process supervises the stack of this directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__(f"The stack in {directory} is being started or stopped: try again in a moment.")


def make(directory: Path) -> None:
    """Take a new or empty directory, or one that was taken before."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(f"{directory} cannot be made ({error.strerror}): name another directory with --dir.") from None
    if not _mark(directory).exists():
        if any(directory.iterdir()):
            raise CannotRun(f"{directory} holds other files: name a new or empty directory with --dir.")
        _mark(directory).write_text("`profuse up` made this directory; `profuse down --wipe` deletes it.\n")


def wipe(directory: Path) -> bool:
    """False when there was nothing to delete; raises `AlreadySupervised`."""
    if not directory.exists():
        return False
    if not _mark(directory).exists():
        raise CannotRun(f"{directory} was not made by `profuse up`: delete it yourself if you are sure.")
    with supervised(directory):
        shutil.rmtree(directory)
    return True


@contextmanager
def supervised(directory: Path) -> Iterator[None]:
    """Only one at a time, whom the lock names; it ends with its process, so none is ever stale. Raises `AlreadySupervised`."""
    with _lock(directory) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadySupervised(directory) from None
        # Else somebody deleted it with the directory, after it was opened here.
        if os.fstat(descriptor).st_nlink == 0:
            raise AlreadySupervised(directory)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, identity_of(os.getpid()).model_dump_json().encode())
        yield


def supervisor(directory: Path) -> psutil.Process | None:
    """Who supervises it, from the first moment on; None: nobody does. Raises `AlreadySupervised` where it does not say who it is."""
    if not (directory / "lock").exists():
        return None
    with _lock(directory) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            found = process_of(_named(directory, descriptor))
            if found is None:
                raise AlreadySupervised(directory) from None
            return found
        return None


def _named(directory: Path, descriptor: int) -> Identity:
    try:
        return Identity.model_validate_json(os.read(descriptor, 1024))
    except ValidationError:
        # It took the lock a moment ago, or is of an older release.
        raise AlreadySupervised(directory) from None


@contextmanager
def _lock(directory: Path) -> Iterator[int]:
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def port(directory: Path, name: str) -> int:
    """The port that `name` had last time, while nobody else has taken it, else a new one."""
    file = directory / "ports.json"
    ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
    if name not in ports or not take(ports[name]):
        ports[name] = free_port()
        state.replace(file, json.dumps(ports))
    return ports[name]


def _mark(directory: Path) -> Path:
    return directory / "profuse-stack.txt"
