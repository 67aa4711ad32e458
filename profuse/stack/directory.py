"""The directory of a stack: whose it is, and which ports it remembers."""

import json
import shutil
from pathlib import Path

from pydantic import TypeAdapter

from profuse.stack import files, lock
from profuse.stack.ports import free_port, take
from runtime.errors import CannotRun

_DAMAGED = "delete that file; the stack then listens on other ports than before."


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
    with lock.held(directory):
        shutil.rmtree(directory)
    return True


def port(directory: Path, name: str) -> int:
    """The port that `name` had last time, while nobody else has taken it, else a new one."""
    file = directory / "ports.json"
    ports = files.read(file, TypeAdapter(dict[str, int]), _DAMAGED) or {}
    if name not in ports or not take(ports[name]):
        ports[name] = free_port()
        files.replace(file, json.dumps(ports))
    return ports[name]


def _mark(directory: Path) -> Path:
    return directory / "profuse-stack.txt"
