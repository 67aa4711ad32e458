"""What the operator asked the stack to be."""

import secrets
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, TypeAdapter

from profuse.stack import files

# In the order in which they are stopped: who takes work in goes first.
ROOMS = ("gateway", "matcher", "launcher", "hooks", "console")

_DAMAGED = "delete that file, and say by `profuse up` how many you want of each room."

Counts = Mapping[str, int | None]


class Wanted(BaseModel):
    """How many processes of each room; `id` tells one request from the next."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=lambda: secrets.token_hex(8))
    counts: dict[str, NonNegativeInt]

    def names(self) -> list[tuple[str, str]]:
        """Each process's name and room."""
        return [(f"{room}-{number}", room) for room in ROOMS for number in range(1, self.counts[room] + 1)]


def adjusted(counts: Counts, running: Wanted | None) -> Wanted:
    """A count that was left out is what runs, or 1."""
    # A stack that an older version runs knows nothing of newer rooms.
    before = {**dict.fromkeys(ROOMS, 1), **(running.counts if running else {})}
    asked = {room: counts.get(room) for room in ROOMS}
    return Wanted(counts={room: before[room] if count is None else count for room, count in asked.items()})


def option(room: str) -> str:
    """By which `up` is told how many there should be."""
    return f"--{room.removesuffix('s')}s"


def read(directory: Path) -> Wanted | None:
    """None where nobody asked for anything yet."""
    return files.read(_file(directory), TypeAdapter(Wanted), _DAMAGED)


def write(directory: Path, wanted: Wanted) -> None:
    files.replace(_file(directory), wanted.model_dump_json())


def _file(directory: Path) -> Path:
    return directory / "wanted.json"
