"""Pure: which accounts are asked for due groups, and how many each may have."""

from collections import Counter
from collections.abc import Iterable, Mapping

from workers.launcher.channels.slots import half

# In one claim.
_MOST_ASKED = 256


class Turns:
    """Shares a launcher's slots out: whoever holds least is asked first, and nobody holds more than half."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._holds: Counter[int] = Counter()
        # Since when an account has something due, by the caller's clock.
        self._due: dict[int, float] = {}
        # Falls with every turn, so that whoever waited longest goes first.
        self._served: dict[int, int] = {}
        self._turn = 0

    def seen(self, due: Mapping[int, float], looked: float) -> None:
        """These accounts have something due, from those moments on; and others only if it was heard since we looked."""
        self._due = {account: since for account, since in self._due.items() if since >= looked} | dict(due)

    def heard(self, accounts: Iterable[int], now: float) -> None:
        """They have something due now."""
        self._due |= dict.fromkeys(accounts, now)

    def free(self) -> int:
        return self._slots - self._holds.total()

    def asked(self, now: float) -> dict[int, int]:
        """How many groups each account may have, the one first that holds least; together they may be more than are free."""
        most = half(self._slots)
        waiting = [account for account, since in self._due.items() if since <= now and self._holds[account] < most]
        waiting.sort(key=lambda account: (self._holds[account], self._served.get(account, 0)))
        return {account: min(most - self._holds[account], self.free()) for account in waiting[:_MOST_ASKED]} if self.free() else {}

    def took(self, account: int) -> None:
        self._turn += 1
        self._served[account] = self._turn
        self._holds[account] += 1

    def gave(self, account: int) -> None:
        self._holds[account] -= 1
