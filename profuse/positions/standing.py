"""Pure: what a row of `progress` and the broker say of a partition together."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SAME = "same"
NEW = "new"
OTHER = "another topic"
LOST = "records lost"
BEYOND = "beyond the end"
UNPLACED = "no position"
GONE = "no partition"

MEANINGS = {
    SAME: "holds the record that was processed last",
    NEW: "nothing was processed since it began or was moved",
    OTHER: "holds another record where the one processed last was: the topic was made anew",
    LOST: "the broker has deleted the record that was processed last, or more",
    BEYOND: "ends before the position: the topic was made anew, or is older than the database",
    UNPLACED: "was added to the topic, and nobody reads it",
    GONE: "has a position, but the topic has no such partition",
}
"""The words of `Standing.state`, and what each means."""

RELIABLE = (SAME, NEW)
"""What the topic held below the position is what was processed."""


@dataclass(frozen=True)
class Row:
    """A partition's position, as Postgres has it."""

    position: int
    fingerprint: str | None
    fence: int
    # The process that took it over last, and has not let go.
    holder: str | None


@dataclass(frozen=True)
class Range:
    """What the broker has of a partition; `before` is the fingerprint of the record before the position."""

    first: int
    end: int
    before: str | None = None


@dataclass(frozen=True)
class Standing:
    """A partition; what is missing of it is None."""

    topic: str
    partition: int
    row: Row | None
    range: Range | None
    # Workers that read it now, as the broker knows them.
    workers: tuple[str, ...] = field(default=())

    @property
    def state(self) -> str:
        if self.row is None:
            return UNPLACED
        return GONE if self.range is None else _state(self.row, self.range)

    @property
    def waiting(self) -> int | None:
        """How many records it has from the position on, None where nobody can tell."""
        if self.row is None or self.range is None or self.state not in (*RELIABLE, LOST):
            return None
        return self.range.end - max(self.row.position, self.range.first)


def _state(row: Row, found: Range) -> str:
    if row.position > found.end:
        return BEYOND
    if row.fingerprint is None:
        return NEW if row.position >= found.first else LOST
    # The record before the position must be there, or a worker cannot tell that it is the same topic.
    if row.position <= found.first:
        return LOST
    return SAME if row.fingerprint == found.before else OTHER


def shown(standing: Standing) -> Mapping[str, object]:
    """As a command lists it."""
    row, found = standing.row, standing.range
    return {
        "topic": standing.topic,
        "partition": standing.partition,
        "position": row and row.position,
        "first": found and found.first,
        "end": found and found.end,
        "waiting": standing.waiting,
        "state": standing.state,
        "workers": ", ".join(standing.workers) or None,
    }
