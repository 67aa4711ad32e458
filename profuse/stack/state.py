"""What runs in a stack's directory, as the supervisor wrote it down and anybody may read it."""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict


class Identity(BaseModel):
    """A process's number and when it was started, in seconds after the machine was."""

    model_config = ConfigDict(frozen=True)

    pid: int
    started: float


class RunningProcess(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    room: str
    url: str
    identity: Identity


class State(BaseModel):
    """The stack's addresses and processes; addresses of outside servers too."""

    model_config = ConfigDict(frozen=True)

    supervisor: Identity
    api: str | None = None
    console: str | None = None
    kafka: str
    postgres: str
    smtp: str
    # Where the mail sink keeps what it got; None where an outside server delivers mail.
    mail: Path | None = None
    processes: tuple[RunningProcess, ...] = ()
    # The last request for other counts that is fulfilled.
    fulfilled: str | None = None


def read(directory: Path) -> State | None:
    """None when nothing was started here, or all of it was stopped in order."""
    try:
        return State.model_validate_json(_file(directory).read_bytes())
    except FileNotFoundError:
        return None


def write(directory: Path, state: State) -> None:
    replace(_file(directory), state.model_dump_json(indent=1))


def forget(directory: Path) -> None:
    _file(directory).unlink(missing_ok=True)


def replace(file: Path, text: str) -> None:
    """A reader sees the old text or the new one, never half of it."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(text)
    unfinished.replace(file)


def _file(directory: Path) -> Path:
    return directory / "state.json"
