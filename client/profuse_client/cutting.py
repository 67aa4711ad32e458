"""Pure: a stream of items cut into requests, the same for the same items, so that a repeat is byte for byte what it repeats."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from traceback import format_exception_only

from profuse_client.encoding import Unsendable, encoded
from profuse_client.results import Entry

MIB = 1024 * 1024

# What a mapping's own code raises; others, as those of a signal handler that ends a job, are not about the item.
_ITS_OWN = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, OSError, RuntimeError)


@dataclass(frozen=True)
class Limits:
    """Most that one request may hold; a server may be set to less, and refuses more by name. Out of range they are a `ValueError`."""

    profiles: int = 10_000
    bytes: int = 10 * MIB
    # With files; what stands beside them is held to `bytes` all the same.
    bytes_with_files: int = 100 * MIB

    def __post_init__(self) -> None:
        check_count("profiles", self.profiles)
        check_count("bytes", self.bytes)
        check_count("bytes_with_files", self.bytes_with_files)


def check_count(name: str, given: int) -> None:
    if not isinstance(given, Integral) or given < 1:
        raise ValueError(f"{name}: must be a whole number from 1")


@dataclass
class Part:
    """The items of one request: `written` ones go out, `failed` ones never do and have their entries here."""

    number: int
    # Where its first item stands in the input.
    first: int
    count: int = 0
    written: bytearray = field(default_factory=bytearray)
    failed: dict[int, Entry] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        return self.count - len(self.failed)

    def entries(self, answered: Sequence[Mapping[str, object]], *, repeated: bool) -> list[Entry]:
        """One for each item, in their order."""
        theirs = iter(answered)
        indexes = range(self.first, self.first + self.count)
        return [self.failed.get(index) or Entry(index, next(theirs), repeated) for index in indexes]


class Cutter:
    """Takes items one by one, and gives a part whenever one is full."""

    def __init__(self, shape: Callable[[object], object], room: int, most: int) -> None:
        # The bytes that items may take up in a request.
        self._room = room
        self._most = most
        self._shape = shape
        self._part = Part(0, 0)

    def add(self, item: object) -> Part | None:
        full = None
        try:
            written = self._written(item)
        except Unsendable as reason:
            index = self._part.first + self._part.count
            self._part.failed[index] = Entry(index, {"error": 400, "error_text": str(reason)})
        else:
            full = self._write(written)
        self._part.count += 1
        return full or (self._next() if self._part.count >= self._most else None)

    def end(self) -> Part | None:
        """What is left."""
        return self._next() if self._part.count else None

    def _written(self, item: object) -> bytes:
        try:
            written = encoded(self._shape(item))
        except (Unsendable, TimeoutError):  # an `OSError` that handlers of SIGALRM raise
            raise
        except _ITS_OWN as error:
            raise Unsendable(f"Cannot be sent: {format_exception_only(error)[0].strip()}") from error
        if len(written) > self._room:
            raise Unsendable("Item too large")
        return written

    def _write(self, written: bytes) -> Part | None:
        full = self._next() if self._part.written and len(self._part.written) + 1 + len(written) > self._room else None
        if self._part.written:
            self._part.written += b","
        self._part.written += written
        return full

    def _next(self) -> Part:
        full = self._part
        self._part = Part(full.number + 1, full.first + full.count)
        return full
