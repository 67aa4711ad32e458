"""How statements name a claimed group, so that whoever lost its lease writes nothing."""

from collections.abc import Sequence

import asyncpg

from workers.launcher.groups.group import Group

MINE = "batch = $1 AND trigger = $2 AND attempt = $3 AND first_item = $4 AND fence = $5"
THEIRS = """launches.batch = named.batch AND launches.trigger = named.trigger AND launches.attempt = named.attempt
    AND launches.first_item = named.first_item AND launches.fence = named.fence"""


class LeaseLost(Exception):
    """Another launcher has claimed the group since; whatever this one knows of it is old."""


def key_of(group: Group) -> tuple[bytes, int, int, int, int]:
    return group.batch, group.trigger, group.attempt, group.first_item, group.fence


def still_ours(groups: Sequence[Group], written: Sequence[asyncpg.Record]) -> list[bool]:
    """Of each group whether it is among those that a statement has written."""
    keys = {tuple(row) for row in written}
    return [key_of(group) in keys for group in groups]
