"""SQL of one item on its way, and what its rows mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from schemas.ids import SIZE, TriggerId, launch_id

_GROUPS = """
SELECT launch.trigger AS trigger_id, trigger.number AS trigger, left(trigger.name, 255) AS trigger_name, trigger.channel,
    launch.attempt, launch.run, launch.due_at, launch.run_at, launch.held_since, launch.doomed, launch.claims, launch.finished_at,
    get_bit(launch.done, place.at - 1) = 1 AS done, cardinality(launch.items) AS size,
    launch.launched, launch.skipped, launch.failed, launch.cancelled
FROM launches AS launch
JOIN triggers AS trigger ON trigger.id = launch.trigger,
LATERAL (SELECT array_position(launch.items, $2) AS at) AS place
WHERE launch.batch = $1 AND $2 = ANY(launch.items)
ORDER BY launch.trigger, launch.attempt, launch.first_item
"""
_FAILURES = "SELECT trigger, reason, failed_at, attempt FROM failures WHERE batch = $1 AND item = $2"
_ANSWER = """
SELECT results.errors->$2::int::text AS error, results.custom_data->$2::int::text AS custom_data,
    encode(substring(results.profiles FROM $3 * (array_position(results.items, $2::int) - 1) + 1 FOR $3), 'hex') AS profile
FROM results WHERE batch = $1 AND $2::int = ANY(items)
"""
_REJECT = "SELECT rejects->$2::int::text FROM batches WHERE id = $1"
_LETTERS = 'SELECT topic, partition, "offset", reason, created_at, replayed_at FROM dead_letters WHERE batch = $1 AND item = $2 LIMIT 20'


@dataclass(frozen=True)
class Step:
    """A group that an item's launch was in, and what became of it there."""

    launch: str
    trigger: int
    trigger_name: str
    channel: str
    attempt: int
    run: int
    due_at: datetime
    run_at: datetime
    word: str
    reason: str | None
    at: datetime | None


@dataclass(frozen=True)
class Item:
    """As it was answered, where it has been, and its dead letters."""

    # As JSON: an error, or the profile.
    error: str | None
    profile: str | None
    custom_data: str | None
    steps: list[Step]
    letters: list[dict[str, Any]]

    @property
    def is_answered(self) -> bool:
        return self.error is not None or self.profile is not None


async def read(connection: asyncpg.Connection, batch: bytes, number: int) -> Item:
    answer = await connection.fetchrow(_ANSWER, batch, number, SIZE) or {}
    error = answer.get("error") or await connection.fetchval(_REJECT, batch, number)
    failures = {row["trigger"]: row for row in await connection.fetch(_FAILURES, batch, number)}
    groups = [dict(row) for row in await connection.fetch(_GROUPS, batch, number)]
    return Item(
        error=error,
        profile=None if error else answer.get("profile"),
        custom_data=answer.get("custom_data"),
        steps=steps(batch, number, groups, failures),
        letters=[dict(row) for row in await connection.fetch(_LETTERS, batch, number)],
    )


def steps(batch: bytes, number: int, groups: Sequence[Mapping[str, Any]], failures: Mapping[int, Mapping[str, Any]]) -> list[Step]:
    """Pure: what became of the item in each group; groups in the order of their attempts."""
    last = {group["trigger_id"]: group for group in groups}
    return [
        _step(
            launch_id(batch, number, TriggerId(group["trigger_id"])),
            group,
            last[group["trigger_id"]] is group,
            failures.get(group["trigger_id"]),
        )
        for group in groups
    ]


def _step(launch: str, group: Mapping[str, Any], is_last: bool, failure: Mapping[str, Any] | None) -> Step:
    word, reason, at = _fate(group, is_last, failure)
    names = ("trigger", "trigger_name", "channel", "attempt", "run", "due_at", "run_at")
    return Step(launch, **{name: group[name] for name in names}, word=word, reason=reason, at=at)


def _fate(group: Mapping[str, Any], is_last: bool, failure: Mapping[str, Any] | None) -> tuple[str, str | None, datetime | None]:
    if not group["done"]:
        return ("held" if group["held_since"] else "waiting"), group["doomed"], group["held_since"]
    if not is_last:
        # It left for a later group: its server had deferred it, or an operator let it run again.
        return "went on", None, None
    if failure is not None and failure["attempt"] == group["attempt"]:
        return "failed", failure["reason"], failure["failed_at"]
    # A group counts its endings and does not say whose each is.
    kinds = [kind for kind in ("launched", "skipped", "cancelled") if group[kind]]
    return (kinds[0] if len(kinds) == 1 else " or ".join(kinds) or "over"), None, group["finished_at"]
