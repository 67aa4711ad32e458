"""One call of the API, as the endpoints see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.accounts import Token
from ingest.answers import invalid
from ingest.budgets import Share
from ingest.parsing import Piece


@dataclass(frozen=True)
class Call:
    """A call whose token is known; nothing else of it has been checked."""

    token: Token
    path: str
    root: Mapping[str, Piece]
    # The elements of `data`, if that is an array.
    items: list[Piece] | None
    request_id: str | None
    body_hash: bytes
    share: Share

    def parameters(self) -> dict[str, Any]:
        """The root parameters as given; refused if the database could not keep their text."""
        for name, piece in self.root.items():
            if not piece.storable or "\0" in name:
                raise invalid(f"{name[:100]}: text with NUL or a lone surrogate cannot be stored")
        given = {name: piece.value for name, piece in self.root.items()}
        return given if self.items is None else given | {"data": self.items}
