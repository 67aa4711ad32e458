"""Pure: which claimed groups go together, so that small ones cost little more than parts of a large one."""

from collections import Counter
from collections.abc import Iterable, Iterator

from workers.launcher.claim.lane import Lane
from workers.launcher.groups.group import Group

Bundle = list[Group]
"""Groups of one lane that are read, sent and marked together."""


def bundles(groups: Iterable[Group], most: int) -> Iterator[Bundle]:
    """As many groups of a lane in each as have `most` launches together.

    What was claimed in vain goes alone: who kills whoever works on it, or cannot be read, spoils its neighbours' claim once.
    What is spread does, too: its minutes begin beside the others', and not after them.
    """
    filling: dict[Lane, Bundle] = {}
    filled: Counter[Lane] = Counter()
    for group in groups:
        if not group.is_plain():
            yield [group]
            continue
        lane, size = Lane(group.account, group.trigger), len(group.items)
        if lane in filling and filled[lane] + size > most:
            yield filling.pop(lane)
            del filled[lane]
        filling.setdefault(lane, []).append(group)
        filled[lane] += size
    yield from filling.values()
