"""Pure: what of a trace travels, and what is made of what arrives."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from runtime.tracing.untraced import Headers
from schemas.topics import Outgoing

NAME = "traceparent"


def origins(records: Iterable[Headers]) -> Mapping[bytes, Counter[bytes]]:
    """How many records carry what, by the batch that their headers name; only what is traced.

    Several tries of a request carry each its own.
    """
    found: defaultdict[bytes, Counter[bytes]] = defaultdict(Counter)
    for headers in records:
        named = dict(headers)
        carried = named.get(NAME)
        if carried and (batch := named.get("batch")):
            found[batch][carried] += 1
    return found


def the_one(given: Sequence[str]) -> str | None:
    """What a client's headers name; several are as good as none, as W3C has it."""
    return given[0] if len(given) == 1 else None


def stamped(record: Outgoing, traceparent: str | None) -> Outgoing:
    return record if traceparent is None else replace(record, headers=(*record.headers, (NAME, traceparent.encode())))
