"""One call of the API, as the endpoints see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Raw

from ingest.admission.budget import Share
from ingest.http import attachments, parsing
from ingest.http.counting import is_longer
from ingest.http.parsing import SHRINKS, Members
from ingest.request_errors import invalid
from ingest.sql.accounts import Token
from ingest.sql.request_ids import RequestId
from schemas.settings import KIB, Settings

# An object or array where none as large makes sense, as it was written but for blanks.
_CONTAINER = 64 * KIB
# What stands in an item elsewhere.
_OF_AN_ITEM = ("cc_data", "custom_fields", "cats")


@dataclass(frozen=True)
class Call:
    """A call whose token is known; nothing else of it has been checked."""

    token: Token
    path: str
    root: Members
    # The elements of `data`, if that is an array.
    items: list[Raw] | None
    request_id: str | None
    body_hash: bytes
    share: Share
    settings: Settings

    @property
    def identified(self) -> RequestId | None:
        """What it is known by when it is repeated, where it has an id."""
        if self.request_id is None:
            return None
        return RequestId(self.token.id, self.request_id, self.path, self.body_hash)

    def parameters(self) -> dict[str, Any]:
        """The root parameters that are given; refused before anything large is built that would be refused then."""
        if self.root.unknown is not None:
            raise invalid(f"{self.root.unknown}: unknown parameter")
        return {name: self._value(name, raw) for name, raw in self.root.values.items() if not parsing.is_null(raw)}

    def _value(self, name: str, raw: Raw) -> Any:
        if name == "data":
            # What is no array would be built in vain.
            return False if self.items is None else self.items
        if name == "attach":
            return attachments.entries(raw)
        most = SHRINKS * self._limits.get(name, 0) or _CONTAINER
        if not parsing.is_text(raw) and is_longer(raw, most):
            raise invalid(f"{name}: too long")
        piece = parsing.piece(raw)
        if not piece.storable:
            raise invalid(f"{name}: text with NUL or a lone surrogate cannot be stored")
        return piece.value

    @property
    def _limits(self) -> Mapping[str, int]:
        item = dict.fromkeys(_OF_AN_ITEM, self.settings.item_limit)
        return {"content": self.settings.content_limit, "custom_data": self.settings.custom_data_limit, **item}

    def let_go(self) -> None:
        """Forget what was sent: who waits for an answer holds none of it."""
        self.root.values.clear()
        if self.items is not None:
            self.items.clear()
        self.share.release()
