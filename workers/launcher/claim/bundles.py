"""Pure: which claimed groups go together, so that small ones cost little more than parts of a large one."""

from collections.abc import Iterable, Iterator

from workers.launcher.claim.turns import Lane
from workers.launcher.groups.group import Group

Bundle = list[Group]
"""Groups of one lane that are read, sent and marked together. What kills or spoils one that has others ends it with the next claim:
a group that was claimed in vain goes alone."""


def bundles(groups: Iterable[Group], most: int) -> Iterator[Bundle]:
    """As many groups of a lane in each as have `most` launches together."""
    open_: dict[Lane, Bundle] = {}
    taken: dict[Lane, int] = {}
    for group in groups:
        if not group.is_plain():
            yield [group]
            continue
        lane, size = Lane(group.account, group.trigger), len(group.items)
        if lane in open_ and taken[lane] + size > most:
            yield open_.pop(lane)
        taken[lane] = taken[lane] + size if lane in open_ else size
        open_.setdefault(lane, []).append(group)
    yield from open_.values()
