"""Pure: tells broken code from broken data."""

from collections import Counter
from collections.abc import Mapping, Sequence

from workers.exactly_once.room import Dead

# Of one reason, in one chunk.
MESSAGES = 20
ACCOUNTS = 2


class LineStopped(Exception):
    """So many messages of several accounts fail alike that the code is wrong and not the data; nothing of them is buried."""


def hold_if_broken(dead: Sequence[Dead], total: int, accounts: Mapping[bytes, int]) -> None:
    """Raises `LineStopped`; `total` is how many messages the chunk has, `accounts` are those of the batches."""
    for reason, count in Counter(each.reason for each in dead).items():
        hit = {accounts[each.batch] for each in dead if each.reason == reason and each.batch and each.batch in accounts}
        if count >= MESSAGES and 2 * count > total and len(hit) >= ACCOUNTS:
            raise LineStopped(f"{count} of {total} messages, of {len(hit)} accounts, fail alike ({reason})")
