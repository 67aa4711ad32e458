"""What runs in a stack's directory, as the supervisor wrote it down and anybody may read it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from profuse.stack import files

_DAMAGED = "end what still runs of this stack (see `ps`), delete that file, and start the stack with `profuse up`."


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
    return files.read(_file(directory), TypeAdapter(State), _DAMAGED)


def write(directory: Path, state: State) -> None:
    files.replace(_file(directory), state.model_dump_json(indent=1))


def forget(directory: Path) -> None:
    _file(directory).unlink(missing_ok=True)


def _file(directory: Path) -> Path:
    return directory / "state.json"
