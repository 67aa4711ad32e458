"""Counts by token."""

from collections import Counter


class Tally:
    """How much each token has of something, and all of them together."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self.total = 0

    def of(self, token: int) -> int:
        return self._counts[token]

    def add(self, token: int, by: int) -> None:
        self._counts[token] += by
        self.total += by
