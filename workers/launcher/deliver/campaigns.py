"""What a group's trigger and batch say now; read-only."""

from dataclasses import replace

import asyncpg
import msgspec

from schemas.ids import TriggerId
from workers.launcher.model import Campaign

_CAMPAIGN = """
SELECT
    batch.account, batch.accepted_at, database.number AS database, trigger.number AS trigger, trigger.active, trigger.channel,
    resource.number AS resource, trigger.unconditional_sending, trigger.sender, trigger.subject, trigger.html,
    -- Only the campaign that the batch names gets its content and files; the others start by themselves.
    CASE WHEN batch.trigger IS NOT DISTINCT FROM trigger.id THEN batch.content ELSE '{}' END::text AS content,
    batch.custom_data::text AS custom_data,
    batch.trigger IS NOT DISTINCT FROM trigger.id AND EXISTS (SELECT FROM attachments WHERE attachments.batch = batch.id) AS has_files
FROM batches AS batch
JOIN triggers AS trigger ON trigger.id = $2
JOIN databases AS database ON database.id = batch.database
LEFT JOIN resources AS resource ON resource.id = trigger.resource
WHERE batch.id = $1
"""


# What an `apply` may change while launches go out.
_TRIGGER = "SELECT active, sender, subject, html FROM triggers WHERE id = $1"


async def load(pool: asyncpg.Pool, batch: bytes, trigger: TriggerId) -> Campaign | None:
    """The campaign, or None if its batch was deleted."""
    row = await pool.fetchrow(_CAMPAIGN, batch, trigger)
    if row is None:
        return None
    values = dict(row)
    shared = {name: msgspec.json.decode(values.pop(name)) for name in ("content", "custom_data")}
    return Campaign(**values, **shared)


async def again(pool: asyncpg.Pool, campaign: Campaign, trigger: TriggerId) -> Campaign:
    """The campaign with what its trigger says by now."""
    row = await pool.fetchrow(_TRIGGER, trigger)
    return campaign if row is None else replace(campaign, **row)
