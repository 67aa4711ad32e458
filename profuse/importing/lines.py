"""Lines of a text that may be ugly: one without an end that could be waited for costs itself."""

from collections import deque
from collections.abc import Iterator
from typing import TextIO

# Characters of a line of cells: no item has more bytes, and what is longer has lost its closing quote or its end.
LONGEST = 256 * 1024


class Unclosed(Exception):
    """A quote was opened, and nothing that closes it follows."""


class TooLong(Exception):
    """A line has no end that could be waited for; the text says how long it may be."""


class Lines:
    """The lines of a text, of which those of the current record can be given back."""

    def __init__(self, text: TextIO, longest: int = LONGEST) -> None:
        self.longest = longest
        self.number = 0
        self.taken: list[str] = []
        self._size = 0
        self._text = text
        self._back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """Raises `Unclosed` for a record that goes on for too long, and `TooLong` behind a line that does, whose beginning is taken."""
        line = self._back.popleft() if self._back else self._text.readline(self.longest + 1)
        if not line and not self.taken:
            raise StopIteration
        self._size += len(line)
        if not line or (self.taken and self._size > self.longest):
            self._back.appendleft(line)
            raise Unclosed
        self.number += 1
        self.taken.append(line)
        if len(line) > self.longest:
            self._skip(line)
            raise TooLong(f"a line of more than {self.longest} characters; the row has only their beginning")
        return line

    def begin(self) -> None:
        self.taken, self._size = [], 0

    def give_back(self) -> str:
        """All but the first line of the record, which is returned."""
        first, *others = self.taken
        self.number -= len(others)
        self._back.extendleft(reversed(others))
        return first

    def _skip(self, line: str) -> None:
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(self.longest)
        if line.endswith("\r"):
            self._skip_other_half()

    def _skip_other_half(self) -> None:
        """Of an end of two characters, between which a line may have been cut; it would count as a line of its own."""
        following = self._text.readline(self.longest + 1)
        if following != "\n":
            self._back.append(following)
