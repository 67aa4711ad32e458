"""Places where nothing passes now, by the fault of nobody who is sent there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from schemas import metrics
from workers.launcher.channels.channel import SERVER
from workers.launcher.clock import clock

log = structlog.get_logger()

# One launch is let through now and then, to see whether the place is open again.
FIRST_PROBE = 1.0
_LONGEST_PROBE = 5.0
# Longer than any group rests: who is held comes by in less.
_FORGOTTEN_AFTER = 900.0


@dataclass(eq=False)
class Hold:
    """One place that is held; whoever waits for it sees here when it is open again."""

    why: str
    # Whoever passes here opens it.
    at: str
    # Of many that were refused alike: one more refusal says nothing new.
    by_refusals: bool
    probe_at: float
    probe_after: float
    # When somebody came last who has to wait for it.
    asked_at: float = field(default_factory=lambda: clock())
    is_open: bool = False


class Holds:
    """What is held, as this launcher has seen it; whoever passes opens all the places that he came through."""

    def __init__(self) -> None:
        self._held: dict[str, Hold] = {}

    def keeps(self, places: Sequence[str]) -> Hold | None:
        """What a launch has to wait for; None if it may go, perhaps as a probe."""
        if (shut := self.shut(places)) is not None:
            return shut
        # It probes all of them, or none: else one would wait for a probe that another stopped.
        for _, hold in self._of(places):
            hold.probe_after = min(hold.probe_after * 2, _LONGEST_PROBE)
            hold.probe_at = clock() + hold.probe_after
        return None

    def shut(self, places: Sequence[str]) -> Hold | None:
        """The same, for one who does not go yet."""
        if not self._held:
            # As nearly always, and each launch asks three times.
            return None
        return next((hold for _, hold in self._of(places) if clock() < hold.probe_at), None)

    def holding(self, places: Sequence[str]) -> Hold | None:
        """The first of those that hold one of these, for all but probes."""
        return next((hold for _, hold in self._of(places)), None)

    def hold(self, place: str, why: str, account: int | None = None, rest: float | None = None, *, by_refusals: bool = False) -> Hold:
        """Hold it for all, or for one account; `rest`: seconds until it is tried again, where it said so.

        Asked for longer, it stands in a row, which whoever resumes or changes it takes away: here nobody would hear of that.
        """
        name = place if account is None else for_account(place, account)
        if name not in self._held:
            # A place may be a sender or a domain of somebody's customers.
            log.warning("destination_held", server=place == SERVER, account=account, why=why)
            self._held[name] = Hold(why, place, by_refusals, 0.0, FIRST_PROBE)
            # Each channel has its own: none may say what is true of it alone.
            metrics.HELD.inc()
        hold = self._held[name]
        hold.probe_at = clock() + (hold.probe_after if rest is None else min(rest, _LONGEST_PROBE))
        return hold

    def forget(self) -> None:
        """Drop those that nobody comes to any more, as after a sender was corrected: nobody would ever open them."""
        for name, hold in list(self._held.items()):
            if clock() - hold.asked_at > _FORGOTTEN_AFTER:
                del self._held[name]
                log.info("destination_forgotten", server=hold.at == SERVER)
                metrics.HELD.dec()

    def passed(self, places: Sequence[str]) -> None:
        """Also for those who alone were kept away: it was not the place."""
        self._open([name for name, hold in self._held.items() if hold.at in places])

    def answered(self, places: Sequence[str]) -> None:
        """Somebody was refused for himself: so all who may answer there do, and only what is held for its refusals stays so."""
        self._open([name for name, hold in self._held.items() if hold.at in places and not hold.by_refusals])

    def unprobed(self, places: Sequence[str]) -> None:
        """Who was let through never came there: the next one may."""
        for _, hold in self._of(places):
            hold.probe_at = 0.0

    def _open(self, names: Iterable[str]) -> None:
        for name in names:
            hold = self._held.pop(name)
            hold.is_open = True
            log.info("destination_open", server=hold.at == SERVER)
            metrics.HELD.dec()

    def _of(self, places: Sequence[str]) -> list[tuple[str, Hold]]:
        held = [(place, hold) for place in places if (hold := self._held.get(place)) is not None]
        for _, hold in held:
            hold.asked_at = clock()
        return held


def for_account(place: str, account: int) -> str:
    """A place as one account meets it: what it alone is refused there is no reason to keep the others' launches."""
    return f"{place} for account {account}"
