"""The subjects that several producers write to at the same time."""

from itertools import count
from random import Random

from profuse.torture.model import Item, Key

# At a time; older ones are left alone, so that none collects marks for ever.
_KNOWN = 3_000
# One item of so many that are matched by e-mail founds a new subject.
_NEW = 10
# One of so many is about a subject whose first request is still on its way, so that creates race.
_EARLY = 20


class Population:
    """Shared by all producers."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._subjects = count(1)
        self._known: list[int] = []
        self._founded: list[int] = []

    def key(self, random: Random) -> Key:
        """What a request's items are matched by; only an e-mail founds anybody."""
        return random.choice((Key.EMAIL, Key.EMAIL, Key.EMAIL, Key.PHONE, Key.CODE, Key.LABEL)) if self._known else Key.EMAIL

    def item(self, random: Random, key: Key) -> Item:
        number = next(self._numbers)
        if key is Key.EMAIL and (not self._known or random.randrange(_NEW) == 0):
            subject = next(self._subjects)
            self._founded.append(subject)
            return Item(number, subject, key, founds=True)
        early = self._founded and random.randrange(_EARLY) == 0
        return Item(number, random.choice(self._founded if early else self._known), key)

    def met(self, random: Random, subject: int) -> None:
        """Its founding was acknowledged, or given up."""
        self._founded.remove(subject)
        if len(self._known) < _KNOWN:
            self._known.append(subject)
        else:
            self._known[random.randrange(_KNOWN)] = subject
