"""Pure: what happens when. One seed gives one plan."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

# Of ten turns, how many bring two or three faults at once, how many leave no time to recover, and how many others are followed by a calm.
_SEVERAL = 4
_HURRIED = 3
_CALM = 3


@dataclass(frozen=True)
class Turn:
    """Faults that happen at once, each with dice of its own."""

    faults: dict[str, Random]
    # The turn before has healed.
    healed: bool
    # The next turn follows on its heels.
    hurried: bool
    # Nothing is broken for a while after it.
    calm: bool

    @property
    def alone(self) -> str | None:
        """The one fault that all that happens in this turn comes from, if there is only one."""
        return next(iter(self.faults)) if self.healed and len(self.faults) == 1 else None


def plan(seed: int, kinds: list[str]) -> Iterator[Turn]:
    """For ever. Each kind comes once before any comes again, so that short runs meet many."""
    random = Random(seed)  # noqa: S311  # it must be repeatable
    deck: list[str] = []
    hurried = False
    while True:
        while len(deck) < _SEVERAL:
            deck += random.sample(kinds, len(kinds))
        several = random.randrange(10) < _SEVERAL
        drawn = [deck.pop(0) for _ in range(random.choice((2, 3)) if several else 1)]
        healed = not hurried
        faults = {kind: Random(random.random()) for kind in drawn}  # noqa: S311
        hurried = random.randrange(10) < _HURRIED
        yield Turn(faults, healed, hurried, calm=not hurried and random.randrange(10) < _CALM)
