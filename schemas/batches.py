"""What the items of a batch share: written by the gateway, read by whoever does something for them."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.matching import Matching


class BatchKind(StrEnum):
    """What is asked for each item; stored, so a word never changes its meaning."""

    IMPORT_AND_START = "import_and_start"
    IMPORT = "import"
    START = "start"
    SET = "set"

    @property
    def imports(self) -> bool:
        """Whether items change profiles; else they only find one."""
        return self is not BatchKind.START

    @property
    def creates(self) -> bool:
        """Whether items create the profiles that they do not find; only then the world is told of an import."""
        return self in (BatchKind.IMPORT_AND_START, BatchKind.IMPORT)

    @property
    def starts(self) -> bool:
        """Whether the batch names a campaign that starts for each of its items."""
        return self in (BatchKind.IMPORT_AND_START, BatchKind.START)


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
