"""Pure: what is taken only because it is stored already, and works less well for it."""

from collections.abc import Iterator, Mapping

from schemas.success import LOOKED_AT, LOOKED_AT_BY_LARGE, is_large
from store.configuration.model import Key, Kind, Wanted


def of_large_patterns(things: Mapping[Key, Wanted]) -> Iterator[str]:
    """A line for each hook."""
    for key, thing in things.items():
        if key.kind is Kind.HOOK and is_large(thing.values["success"]):
            yield (
                f"{key}: its `success` is too large for a new one, and searched for in the first {LOOKED_AT_BY_LARGE} bytes"
                f" of an answer instead of {LOOKED_AT:,}: shorten it"
            )
