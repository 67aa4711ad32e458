"""What the items of a batch share: written by the gateway, read by whoever does something for them."""

from dataclasses import dataclass

from schemas.matching import Matching


@dataclass(frozen=True)
class BatchSettings:
    """How a request asked for its items to be imported; as columns of `batches` these have the same names."""

    matching: Matching
    # Of the field that `custom` searches; None with every other mode.
    field_name: str | None
    skip_triggers: bool
    skip_invalid_subscriptions: bool
    detect_geo: bool
