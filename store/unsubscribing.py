"""One subscription is unsubscribed, in the row of its profile, which every import locks."""

from collections.abc import Sequence

import asyncpg
import msgspec

from schemas.channels import CHANNELS
from schemas.links import Unsubscribing, means

_LOCK = """
SELECT profiles.subscriptions::text FROM profiles JOIN databases ON databases.id = profiles.database
WHERE profiles.id = $1 AND databases.account = $2 FOR UPDATE OF profiles
"""
_WRITE = "UPDATE profiles SET subscriptions = $2::jsonb WHERE id = $1"


async def unsubscribe(connection: asyncpg.Connection, keys: Sequence[str], link: Unsubscribing) -> bool:
    """Whether anything changed; a profile or subscription that is gone needs no change."""
    async with connection.transaction():
        stored = await connection.fetchval(_LOCK, link.profile, link.account)
        if stored is None:
            return False
        subscriptions = msgspec.json.decode(stored)
        meant = [each for each in subscriptions if _is(each, keys, link) and each.get("status") != "unsubscribed"]
        for each in meant:
            each["status"] = "unsubscribed"
        if meant:
            await connection.execute(_WRITE, link.profile, msgspec.json.encode(subscriptions).decode())
    return bool(meant)


def _is(subscription: object, keys: Sequence[str], link: Unsubscribing) -> bool:
    """What is stored may be older than today's rules, so a subscription of another shape is none."""
    if not isinstance(subscription, dict) or subscription.get("resource_id") != link.resource:
        return False
    row = CHANNELS.get(str(subscription.get("channel")))
    address = row.destination(subscription) if row else None
    return isinstance(address, str) and means(keys, link, address)
