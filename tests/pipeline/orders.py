"""All orders in which a batch may be applied, and what comes out of each."""

import json

from tests.pipeline.model import Batch, Entry, State, apply, order_of


def outcomes(state: State, batch: Batch) -> list[tuple[State, list[Entry]]]:
    """All that may come out: items of the same match value keep their order, others do not."""
    queues: dict[str, list[int]] = {}
    for number, item in enumerate(batch.items):
        queues.setdefault(json.dumps(order_of(item, batch)), []).append(number)
    reached: dict[str, tuple[State, dict[int, Entry]]] = {"": (state, {})}
    # All that may be true after one item, then after two, and so on; what is equal is followed once.
    for _ in batch.items:
        reached = {
            _fingerprint(state, after, entries): (after, entries)
            for before, done in reached.values()
            for number in _next(queues, done)
            for after, entry in apply(before, batch, number)
            for entries in [done | {number: entry}]
        }
    return [(after, [entries[number] for number in range(len(batch.items))]) for after, entries in reached.values()]


def _next(queues: dict[str, list[int]], done: dict[int, Entry]) -> list[int]:
    return [next(number for number in queue if number not in done) for queue in queues.values() if not done.keys() >= set(queue)]


def _fingerprint(base: State, state: State, entries: dict[int, Entry]) -> str:
    changed = {name: profile for name, profile in state.items() if base.get(name) is not profile}
    return json.dumps([changed, sorted(entries.items())], sort_keys=True)
