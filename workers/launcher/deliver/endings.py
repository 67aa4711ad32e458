"""What may become of a launch that is attempted, besides an `Outcome`: it passes later, it waits, or nobody knows yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workers.launcher.deliver.holds import Hold
from workers.launcher.deliver.suspicions import Verdict
from workers.launcher.model import Outcome


@dataclass(frozen=True)
class PutOff:
    """A launch that may pass later, and why it did not now."""

    why: str
    # It may have passed, and a repeat would be a second one.
    in_doubt: bool = False
    # The way by which it may have passed, where there are others: these would not know it again.
    doubted: str | None = None
    # Seconds that it waits at least.
    rest: float = 0.0
    # Whether that was an attempt of its own; else it comes again at once, and was not nearer to its end.
    counts: bool = True


@dataclass(frozen=True)
class Held:
    """A launch that has to wait, through no fault of its own. Why is logged: it quotes neither an address nor a server's words.

    `tried`: it went out, and may have passed.
    """

    why: str
    # What it waits for, where that is a place.
    hold: Hold | None = field(default=None, compare=False)
    tried: bool = False

    def may_go(self) -> bool:
        """Whether what it waits for is over by now."""
        return self.hold is not None and self.hold.is_open


@dataclass(frozen=True)
class Suspected:
    """A launch that failed, unless it turns out that nobody passes."""

    outcome: Outcome
    held: Held
    verdict: Verdict


Ended = Outcome | PutOff | Held | Suspected
"""What one attempt came to."""

Endings = Mapping[int, Outcome | PutOff]
"""By their positions, how launches end for this group."""
