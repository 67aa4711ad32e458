"""What the items of a batch share: written by the gateway, read by whoever does something for them."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.matching import Matching


class BatchKind(StrEnum):
    """What is asked for each item; stored, so a word never changes its meaning."""

    IMPORT_AND_START = "import_and_start"
    IMPORT = "import"
    START = "start"

    @property
    def imports(self) -> bool:
        """Whether items create and change profiles; else they only find one, and no import is told."""
        return self is not BatchKind.START

    @property
    def starts(self) -> bool:
        """Whether the batch names a campaign that starts for each of its items."""
        return self is not BatchKind.IMPORT


@dataclass(frozen=True)
class BatchSettings:
    """How a request asked for its items to be imported; as columns of `batches` these have the same names."""

    kind: BatchKind
    matching: Matching
    # Of the field that `custom` searches; None with every other mode.
    field_name: str | None
    skip_triggers: bool
    skip_invalid_subscriptions: bool
    detect_geo: bool
