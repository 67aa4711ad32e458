"""How late mails are, and how often they come again."""

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from profuse.stack.unwell_recipients import DOMAIN
from profuse.torture.chronicle import Chronicle, Span
from profuse.torture.verdict.seen import Applied, Call, Difference, Mail, difference, together
from schemas import ids
from schemas.ids import TriggerId

# After these a launcher may not know what it has sent.
BREAKS_A_SEND = frozenset(
    {
        "kill -9 a launcher",
        "kill -9 the mail sink",
        "kill -9 Postgres",
        "restart Postgres",
        "freeze a launcher",
        "drop Postgres connections",
        "change the replicas",
        "rolling restart",
    }
)
# Each of these may lose sight of so many mails: what all launchers have in the air, and have not marked.
REPEATS = 300
# Moments are taken by several clocks and seen with delay.
_MARGIN = 5.0
# How often a server that breaks off after the dot may get a mail: whose fate is unknown is tried again twice.
BROKEN_OFF = 3


def repeats(arrivals: Iterable[Mail | Call], chronicle: Chronicle, allowed: int = 1) -> list[Difference]:
    """What came more often than allowed: only after a fault that explains it, and not more than such faults lose sight of."""
    by_launch: dict[str, list[float]] = defaultdict(list)
    for mail in arrivals:
        by_launch[mail.launch].append(mail.at)
    again = [(launch, span) for launch, moments in by_launch.items() for span in _gaps(sorted(moments)[allowed - 1 :])]
    groundless = [launch for launch, span in again if not chronicle.struck(BREAKS_A_SEND, Span(span.began - _MARGIN, span.ended))]
    excess = len(again) - REPEATS * sum(strike.kind in BREAKS_A_SEND for strike in chronicle.strikes)
    return together(
        [
            difference("doubled", groundless, "messages that came again, and no fault explains it"),
            Difference("doubled", max(0, excess - len(groundless)), "messages that came again, more than the faults explain"),
        ]
    )


def _gaps(moments: list[float]) -> Iterator[Span]:
    return (Span(*pair) for pair in itertools.pairwise(moments))


def waits(due: Mapping[str, float], arrivals: Iterable[Mail]) -> list[Span]:
    """From when each launch was due until its mail first arrived; for ever, if it did not."""
    first: dict[str, float] = {}
    for mail in arrivals:
        first[mail.launch] = min(mail.at, first.get(mail.launch, mail.at))
    return [Span(moment, first.get(launch, math.inf)) for launch, moment in due.items()]


def plainly_due(done: Iterable[Applied], called: TriggerId) -> dict[str, float]:
    """When each mail is due whose recipient is at a server without trouble; the campaign `called` sends none."""
    return {
        ids.launch_id(each.batch.id, each.place, campaign): moment
        for each in done
        if each.item.inbox and not each.item.inbox.endswith(DOMAIN)
        for campaign, moment in each.batch.due.items()
        if campaign != called and each.place in each.batch.launches[campaign]
    }
