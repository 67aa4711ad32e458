"""Pure: much that is to be done, a bounded part at a time."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def portions(whole: Iterable[T], size: Callable[[T], int], most: int) -> Iterator[list[T]]:
    """In order, as many in each as have `most` together; one that is larger goes alone."""
    portion: list[T] = []
    total = 0
    for each in whole:
        if portion and total + size(each) > most:
            yield portion
            portion, total = [], 0
        portion.append(each)
        total += size(each)
    if portion:
        yield portion
