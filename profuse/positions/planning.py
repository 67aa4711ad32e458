"""Pure: what moving positions would do, and what it would skip, repeat or give up."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from profuse.positions.standing import BEYOND, GONE, LOST, OTHER, RELIABLE, UNPLACED, Standing
from runtime.errors import CannotRun

START, END = "start", "end"
# More digits than an offset has are no offset.
_OFFSET = re.compile(r"[0-9]{1,18}", re.ASCII)

_LEFT_OUT = {"imports": "their items stay without an answer", "matches": "their launches are not scheduled"}


@dataclass(frozen=True)
class Move:
    """One partition's way, and what it means in words."""

    standing: Standing
    to: int

    @property
    def skipped(self) -> int:
        """Records that are there, were not processed, and never will be."""
        row, found = self.standing.row, self.standing.range
        if found is None:
            return 0
        done = row.position if row is not None and self.standing.state in (*RELIABLE, LOST) else found.first
        return max(0, self.to - max(found.first, done))

    @property
    def again(self) -> int:
        """Records that were processed and are read again; in another topic than before there are none."""
        row = self.standing.row
        return max(0, row.position - self.to) if row is not None and self.standing.state in RELIABLE else 0

    @property
    def meaning(self) -> str:
        told = [
            _given_up(self.standing),
            f"{self.skipped} records are skipped: {_LEFT_OUT[self.standing.topic]}" if self.skipped else "",
            f"{self.again} records are read again: what is answered or scheduled is not done twice" if self.again else "",
        ]
        return "; ".join(filter(None, told)) or "nothing is skipped, nothing is read again"


def _given_up(standing: Standing) -> str:
    row, found = standing.row, standing.range
    if row is None or found is None or standing.state in (*RELIABLE, UNPLACED, GONE):
        return ""
    if standing.state == LOST:
        return f"{max(0, found.first - row.position)} records were deleted before they were processed"
    return f"what the topic of before held from {row.position} on is lost"


def moves(standings: Sequence[Standing], where: str, partitions: Collection[int]) -> list[Move]:
    """Where the partitions that are named go, or all; raises `CannotRun` where it makes no sense."""
    if where not in (START, END):
        _offset(where, partitions)
    chosen = _chosen(standings, partitions)
    if unplaced := [each.partition for each in chosen if each.state == UNPLACED]:
        raise CannotRun(f"Partition {unplaced[0]} has no position to move: `profuse positions add {chosen[0].topic}` gives it one.")
    return [Move(each, _target(each, where)) for each in chosen]


def additions(standings: Sequence[Standing]) -> list[Move]:
    """Partitions without a position begin at the first record that they have."""
    return [Move(each, _target(each, START)) for each in standings if each.state == UNPLACED]


def _chosen(standings: Sequence[Standing], partitions: Collection[int]) -> list[Standing]:
    here = [each for each in standings if each.state != GONE]
    if missing := sorted(set(partitions) - {each.partition for each in here}):
        topic = standings[0].topic
        raise CannotRun(f"{topic} has no partition {missing[0]}: `profuse positions list --topic {topic}` shows those that there are.")
    return [each for each in here if not partitions or each.partition in partitions]


def _offset(where: str, partitions: Collection[int]) -> None:
    if not _OFFSET.fullmatch(where):
        raise CannotRun(f"{where or '(nothing)'} is no place: say {START}, {END} or an offset.")
    if len(partitions) != 1:
        raise CannotRun("An offset means something in one partition only: name it with --partition.")


def _target(standing: Standing, where: str) -> int:
    found = standing.range
    if found is None:
        raise CannotRun(f"{standing.topic} has no partition {standing.partition}.")
    if where in (START, END):
        return found.first if where == START else found.end
    if not found.first <= (offset := int(where)) <= found.end:
        place = f"{standing.topic}/{standing.partition}"
        raise CannotRun(f"{place} has no offset {offset}: it begins at {found.first}, and {found.end} comes next.")
    return offset


def misleading(move: Move) -> bool:
    """Whether dead letters are known by offsets that mean other records now."""
    return move.standing.state in (OTHER, BEYOND)
