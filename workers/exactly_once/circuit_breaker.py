"""Pure: tells broken code from broken data."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workers.exactly_once.handler import Dead

# Of one reason.
MESSAGES = 20
ACCOUNTS = 2
# Seen before the chunk at hand: enough to judge chunks of one message by.
REMEMBERED = 10 * MESSAGES


class LineStopped(Exception):
    """So many messages of several accounts fail alike that the code is wrong and not the data; nothing of them is buried."""


@dataclass
class CircuitBreaker:
    """Counts over chunks, because they may be of one message each."""

    _total: int = 0
    # How often each account's messages failed for each reason; None: nobody knows whose they are.
    _failed: Counter[tuple[str, int | None]] = field(default_factory=Counter)

    def hold_if_broken(self, dead: Sequence[Dead], total: int, accounts: Mapping[bytes, int]) -> None:
        """Raises `LineStopped`; `total` is how many messages the chunk has, `accounts` are those of the batches."""
        failed = self._failed + _failed(dead, accounts)
        for reason in {each.reason for each in dead}:
            hit = {account: count for (why, account), count in failed.items() if why == reason}
            known = hit.keys() - {None}
            if (count := sum(hit.values())) >= MESSAGES and 2 * count > self._total + total and len(known) >= ACCOUNTS:
                raise LineStopped(f"{count} of {self._total + total} messages, of {len(known)} accounts, fail alike ({reason})")

    def went_on(self, dead: Sequence[Dead], total: int, accounts: Mapping[bytes, int]) -> None:
        """The chunk is committed, with these set aside."""
        self._total += total
        self._failed += _failed(dead, accounts)
        # Where most pass, or what is remembered is old, the count begins again.
        if 2 * self._failed.total() <= self._total or self._total > REMEMBERED:
            self._total, self._failed = 0, Counter()


def _failed(dead: Sequence[Dead], accounts: Mapping[bytes, int]) -> Counter[tuple[str, int | None]]:
    return Counter((each.reason, accounts.get(each.batch) if each.batch else None) for each in dead)
