"""What a room calls, and what happens where nobody listens: nothing, for the price of a call."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from schemas.topics import Outgoing

Headers = Sequence[tuple[str, bytes | None]]
"""Of one record, as the broker's client takes and returns them."""


class Span:
    """A span of what is not traced."""

    def ends(self, how: int | str, *, failed: bool = False) -> None:
        """Say how it went, by a word or number that is ours."""


_NOTHING = nullcontext(Span())


class Untraced:
    """Every call of a room, and nothing comes of it."""

    def request(self, path: str, traceparents: Sequence[str]) -> AbstractContextManager[Span]:
        """Around a request; goes on with the trace that its client names, if it names one and names it well."""
        return _NOTHING

    def accepted(self, batch: str, items: int, failed: int) -> None:
        """Say which batch the request at hand became."""

    def header(self) -> tuple[tuple[str, bytes], ...]:
        """What a record carries of the request at hand, beside its own headers."""
        return ()

    def chunk(self, topic: str, records: Iterable[Headers]) -> AbstractContextManager[object]:
        """Around a chunk of records: one span for each batch of it that is traced."""
        return _NOTHING

    def stamped(self, records: list[Outgoing]) -> list[Outgoing]:
        """What goes to the next topic, with what it carries of its batch's span."""
        return records

    def carried(self, batch: bytes) -> str | None:
        """What is stored of a batch's span, of those of the chunk at hand."""
        return None

    def failed(self, batch: bytes) -> None:
        """Say that items of this batch failed in the chunk at hand."""

    def page(self, traceparent: str | None, **attributes: int | str) -> AbstractContextManager[object]:
        """Around a page of launches that carry this; without it there is no span."""
        return _NOTHING

    def launch(self, launch: str, channel: str, of: int) -> AbstractContextManager[Span]:
        """Around one attempt of a launch of the page at hand; `of`: how many items its batch has."""
        return _NOTHING

    def outbound(self) -> Mapping[str, str]:
        """What a POST carries of the launch or page at hand."""
        return {}
