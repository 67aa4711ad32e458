"""What a group's trigger and batch say now; read-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

import asyncpg
import msgspec

from schemas.channels import MESSAGE
from schemas.ids import TriggerId
from workers.launcher.model import Campaign, Provider

# Those that the trigger names, in its order, else the account's only one.
_PROVIDERS = """(
    SELECT coalesce(json_agg(json_build_object(
        'id', one.id, 'name', one.name, 'url', one.url, 'secrets', one.secrets, 'rate', one.rate, 'concurrency', one.concurrency,
        'timeout', one.timeout, 'held_for', extract(epoch FROM state.held_until - now()), 'why', state.why,
        'is_paused', state.paused_at IS NOT NULL, 'gone', coalesce(state.gone, 0), 'is_alone', NOT EXISTS (
            SELECT FROM providers AS other
            WHERE other.account = one.account AND other.channel = one.channel AND other.active AND other.id <> one.id
        )
    ) ORDER BY array_position(trigger.provider, one.name), one.id), '[]')::text
    FROM providers AS one LEFT JOIN provider_states AS state ON state.provider = one.id
    WHERE one.account = trigger.account AND one.channel = trigger.channel AND one.active
        AND (trigger.provider IS NULL OR one.name = ANY(trigger.provider))
)"""
# By a cancel that came after the batch.
_CANCELLED = """
EXISTS (
    SELECT FROM cancels
    WHERE cancels.account = trigger.account AND cancels.asked_at > batch.accepted_at
        AND (cancels.batch = batch.id OR cancels.trigger = trigger.id)
) AS cancelled
"""
# What an `apply` may change while launches go out.
_TRIGGER = {"providers": _PROVIDERS, "named_providers": "coalesce(cardinality(trigger.provider), 0)"} | {
    name: f"trigger.{name}" for name in ("active", "pace", "spread", *MESSAGE)
}
_WHOLE = ", ".join(f"{read} AS {name}" for name, read in _TRIGGER.items())
# By the first row of each trigger alone: hundreds of single launches would bring as many copies of a large mail.
_ONCE = ", ".join(f"CASE WHEN row_number() OVER same = 1 THEN {read} END AS {name}" for name, read in _TRIGGER.items())

_CAMPAIGN = f"""
SELECT
    named.at, batch.account, batch.accepted_at, batch.total, database.number AS database, trigger.number AS trigger, trigger.channel,
    resource.number AS resource, trigger.unconditional_sending, {_ONCE}, {_CANCELLED},
    -- Only the campaign that the batch names gets its content and files; the others start by themselves.
    CASE WHEN batch.trigger IS NOT DISTINCT FROM trigger.id THEN batch.content ELSE '{{}}' END::text AS content,
    batch.custom_data::text AS custom_data,
    batch.trigger IS NOT DISTINCT FROM trigger.id AND EXISTS (SELECT FROM attachments WHERE attachments.batch = batch.id) AS has_files
FROM unnest($1::bytea[], $2::int[]) WITH ORDINALITY AS named (batch, trigger, at)
JOIN batches AS batch ON batch.id = named.batch
JOIN triggers AS trigger ON trigger.id = named.trigger
JOIN databases AS database ON database.id = batch.database
LEFT JOIN resources AS resource ON resource.id = trigger.resource
WINDOW same AS (PARTITION BY trigger.id ORDER BY named.at)
"""  # noqa: S608  # constants

_SAMPLE = f"""
SELECT
    1 AS at, trigger.account, now() AS accepted_at, 1 AS total, database.number AS database, trigger.number AS trigger, trigger.channel,
    resource.number AS resource, trigger.unconditional_sending, {_WHOLE}, false AS cancelled,
    '{{}}' AS content, '{{}}' AS custom_data, false AS has_files
FROM triggers AS trigger
JOIN databases AS database ON database.id = trigger.database
LEFT JOIN resources AS resource ON resource.id = trigger.resource
WHERE trigger.account = $1 AND trigger.number = $2
"""  # noqa: S608  # constants


async def load(connection: asyncpg.Connection, named: Sequence[tuple[bytes, TriggerId]]) -> list[Campaign | None]:
    """The campaign of each batch and trigger, or None if the batch was deleted; those of one trigger share what is its own."""
    found = {row["at"]: row for row in await connection.fetch(_CAMPAIGN, *map(list, zip(*named, strict=True)))}
    firsts = {named[at - 1][1]: row for at, row in found.items() if row["providers"] is not None}
    triggers = {trigger: _of_trigger(row, _shared(trigger, row)) for trigger, row in firsts.items()}
    return [_campaign(found[at], triggers[trigger]) if at in found else None for at, (_, trigger) in enumerate(named, 1)]


async def sample(connection: asyncpg.Connection, account: int, trigger: int) -> Campaign | None:
    """A trigger as if a batch were accepted for it now."""
    row = await connection.fetchrow(_SAMPLE, account, trigger)
    return None if row is None else _campaign(row, _of_trigger(row, _message(row)))


def _campaign(row: asyncpg.Record, trigger: Mapping[str, Any]) -> Campaign:
    values = {**row, **trigger}
    del values["at"]
    shared = {name: msgspec.json.decode(values.pop(name)) for name in ("content", "custom_data")}
    return Campaign(**values, **shared)


def _of_trigger(row: asyncpg.Record, message: "_Message") -> dict[str, Any]:
    own = {name: row[name] for name in _TRIGGER}
    return {**own, **message.parts, "message": message, "providers": _providers(row["providers"])}


@dataclass(frozen=True)
class _Message:
    parts: Mapping[str, str]


# Of triggers that have campaigns now.
_MESSAGES: WeakValueDictionary[TriggerId, _Message] = WeakValueDictionary()


def _message(row: asyncpg.Record) -> _Message:
    return _Message({name: row[name] for name in MESSAGE})


def _shared(trigger: TriggerId, row: asyncpg.Record) -> _Message:
    """The one that campaigns have which were read before, unless it was changed: thousands may wait at the same time."""
    message = _message(row)
    known = _MESSAGES.get(trigger)
    if known == message:
        return known
    _MESSAGES[trigger] = message
    return message


# Of most triggers they are the same in one load and the next.
@lru_cache(maxsize=64)
def _providers(given: str) -> tuple[Provider, ...]:
    return msgspec.json.decode(given, type=tuple[Provider, ...])
