"""What became of each item, and of a batch as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """The server's word on one item, or ours on one that could not be sent."""

    index: int
    fields: Mapping[str, Any]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """A profile that was created or updated.

    `index` is its place in the input. `repeated`: another run with the same `run_id` had brought it, and nothing was run again; what this
    run may have brought by a request that was left without an answer is not called so.
    """

    index: int
    profile_id: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A profile that was found, and for which the campaign starts; `index` and `repeated` are those of `Imported`."""

    index: int
    profile_id: str
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that changed nothing, in the server's words; `field` where one is to blame."""

    index: int
    error: int
    error_text: str
    field: str | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """How far a batch has come; `items` are the entries that were asked for, `None` where there is none yet."""

    task_id: str
    status: str
    progress: int
    counts: Mapping[str, int]
    items: Sequence[Mapping[str, Any] | None]


def imported(entry: Entry) -> Imported | Failed:
    return failed(entry) or Imported(entry.index, str(entry.fields["profile_id"]), entry.repeated)


def started(entry: Entry) -> Started | Failed:
    return failed(entry) or Started(entry.index, str(entry.fields["profile_id"]), entry.repeated)


def failed(entry: Entry) -> Failed | None:
    fields = entry.fields
    if not fields.get("error"):
        return None
    return Failed(entry.index, int(fields["error"]), str(fields.get("error_text", "")), fields.get("field"), entry.repeated)


def task(data: Mapping[str, Any]) -> Task:
    result = dict(data["result"])
    items = result.pop("items", [])
    return Task(str(data["task_id"]), str(data["status"]), int(data["progress"]), result, items)
