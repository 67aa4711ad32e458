"""Whose fault it is that recipients are refused: their own, unless so many are that it is their destination's."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from workers.launcher.deliver.holds import Holds

# So many recipients that are refused by one code, and nobody accepted between: it is not the recipients.
# That the server refuses all accounts is never concluded from one: it counts for half of them.
ALIKE = 20
# How long a refusal for good waits for that to turn out.
SUSPENSE = 2.0

# True: it is the recipient. False: it is the destination.
Verdict = asyncio.Future[bool]


@dataclass
class _Streak:
    """What one account was refused in a row."""

    code: int
    # The place of each refused recipient, by its address.
    refused: dict[str, str] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, verdict: bool) -> None:
        if not self.verdict.done():
            self.verdict.set_result(verdict)


class Suspicion:
    """Tells a server that refuses everybody from recipients that are to be refused."""

    def __init__(self, holds: Holds, server: str) -> None:
        self._holds = holds
        self._server = server
        self._streaks: dict[int, _Streak] = {}

    def accepted(self) -> None:
        while self._streaks:
            self._streaks.popitem()[1].end(True)

    def refused(self, code: int, account: int, address: str, place: str) -> Verdict:
        """Comes true when the refusal is the recipient's own, false when it is the destination's."""
        streak = self._streaks.get(account)
        if streak is None or streak.code != code:
            if streak is not None:
                streak.end(True)
            streak = self._streaks[account] = _Streak(code)
        streak.refused[address] = place
        alike = [number for number, each in self._streaks.items() if each.code == code]
        why = f"{ALIKE} recipients in a row were refused by {code}"
        if sum(min(len(self._streaks[number].refused), ALIKE // 2) for number in alike) >= ALIKE:
            self._holds.hold(self._server, why, by_refusals=True)
            self._end(alike)
        elif len(streak.refused) >= ALIKE:
            # Behind a relay, a domain is a destination of its own.
            places = set(streak.refused.values())
            self._holds.hold(places.pop() if len(places) == 1 else self._server, why, account, by_refusals=True)
            self._end([account])
        return streak.verdict

    def _end(self, accounts: Iterable[int]) -> None:
        for account in accounts:
            self._streaks.pop(account).end(False)


class Suspicions(dict[str, Suspicion]):
    """Of each server that anybody is sent to."""

    def __init__(self, holds: Holds) -> None:
        super().__init__()
        self._holds = holds

    def __missing__(self, server: str) -> Suspicion:
        self[server] = Suspicion(self._holds, server)
        return self[server]


async def believed(verdict: Verdict) -> bool:
    """The verdict, as soon as it is clear; who waits for too long is believed."""
    await asyncio.wait({verdict}, timeout=SUSPENSE)
    return not verdict.done() or verdict.result()
