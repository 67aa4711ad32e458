"""What a trigger would send to a profile, by the sender's own code; nothing is sent."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import asyncpg
import msgspec

from profuse.postgres import plain_connection
from runtime.errors import CannotRun
from schemas.ids import parse_id
from schemas.settings import Settings
from workers.launcher.channels.channel import Rejected
from workers.launcher.channels.email.mail import compose as compose_mail
from workers.launcher.channels.http.messages import compose as compose_message
from workers.launcher.channels.links import Links
from workers.launcher.deliver import campaigns
from workers.launcher.deliver.outcomes import decide
from workers.launcher.model import Launch, Outcome, Profile

_PROFILE = """
SELECT profiles.data::text, profiles.subscriptions::text FROM profiles JOIN databases ON databases.id = profiles.database
WHERE profiles.id = $1 AND databases.account = $2
"""


async def render(settings: Settings, account: int, trigger: int, profile: str, content: Mapping[str, Any]) -> str:
    """The mail's headers and text, or the body of the POST; raises `CannotRun` where nothing would be sent, and says why."""
    async with plain_connection(settings) as connection:
        campaign = await campaigns.sample(connection, account, trigger)
        if campaign is None:
            raise CannotRun(f"Account {account} has no trigger {trigger}.")
        found = await _profile(connection, account, profile)
    campaign = replace(campaign, content=content)
    recipient = decide(campaign, found)
    if isinstance(recipient, Outcome):
        raise CannotRun(f"Nothing would be sent: {recipient.reason}.")
    launch = Launch("0" * 32, campaign, found, recipient)
    link = Links(settings.public_url, settings.signing_keys()).of(launch)
    try:
        if campaign.channel == "email":
            return "\n".join(_mail(compose_mail(launch, datetime.now(UTC), settings.mail_domain, link).content))
        return json.dumps(json.loads(compose_message(launch, datetime.now(UTC), link).body), indent=2, ensure_ascii=False)
    except Rejected as why:
        raise CannotRun(f"It would fail: {why}.") from None


async def _profile(connection: asyncpg.Connection, account: int, shown: str) -> Profile:
    id_ = parse_id(shown)
    row = None if id_ is None else await connection.fetchrow(_PROFILE, id_, account)
    if id_ is None or row is None:
        raise CannotRun(f"Account {account} has no profile {shown}: `profuse profiles show` finds one by its e-mail or phone.")
    return Profile(id_, msgspec.json.decode(row["data"]), tuple(msgspec.json.decode(row["subscriptions"])))


def _mail(content: bytes) -> Iterator[str]:
    mail = message_from_bytes(content, policy=policy.default)
    yield from (f"{name}: {value}" for name, value in mail.items())
    for part in mail.walk():
        if isinstance(part, EmailMessage) and not part.is_multipart():
            yield f"\n--- {part.get_content_type()} ---\n{part.get_content().rstrip()}"
