"""What a trigger would send to a profile, by the sender's own code; nothing is sent, and no link in it unsubscribes anybody."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import asyncpg
import msgspec

from profuse.postgres import plain_connection
from runtime.errors import CannotRun
from schemas import links
from schemas.channels import CHANNELS
from schemas.ids import parse_id
from schemas.settings import Settings
from schemas.templating.budget import TooCostly
from schemas.templating.preview import branches
from schemas.templating.rendering import TooLong
from schemas.templating.templates import IncorrectTemplate
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


@dataclass(frozen=True)
class Rendered:
    """A message as it would leave: a mail's headers and parts, each with its type, or the one body of a POST."""

    headers: Sequence[tuple[str, str]]
    parts: Sequence[tuple[str, str]]

    @property
    def html(self) -> str | None:
        return next((text for kind, text in self.parts if kind == "text/html"), None)

    def __str__(self) -> str:
        if not self.headers:
            return "\n".join(text for _, text in self.parts)
        headers = (f"{name}: {value}" for name, value in self.headers)
        return "\n".join([*headers, *(f"\n--- {kind} ---\n{text}" for kind, text in self.parts)])


async def render(settings: Settings, account: int, trigger: int, profile: str, content: Mapping[str, Any], *, both: bool = False) -> str:
    """The mail's headers and text, or the body of the POST; raises `CannotRun` where nothing would be sent, and says why.

    `both`: and then what either branch of each condition makes.
    """
    launch, link = await _launch(settings, account, trigger, profile, content, None)
    message = str(_rendered(settings, launch, link))
    return "\n".join([message, *_branches(launch, link)]) if both else message


async def rendered(
    settings: Settings, account: int, trigger: int, profile: str, content: Mapping[str, Any], pool: asyncpg.Pool
) -> Rendered:
    """The same in its parts, read by a connection of `pool`."""
    return _rendered(settings, *await _launch(settings, account, trigger, profile, content, pool))


async def _launch(
    settings: Settings, account: int, trigger: int, profile: str, content: Mapping[str, Any], pool: asyncpg.Pool | None
) -> tuple[Launch, str | None]:
    """A launch as if it were due now, and what stands for the link by which its reader unsubscribes."""
    async with plain_connection(settings, pool) as connection:
        campaign = await campaigns.sample(connection, account, trigger)
        if campaign is None:
            raise CannotRun(f"Account {account} has no trigger {trigger}.")
        found = await _profile(connection, account, profile)
    campaign = replace(campaign, content=content)
    recipient = decide(campaign, found)
    if isinstance(recipient, Outcome):
        raise CannotRun(f"Nothing would be sent: {recipient.reason}.")
    launch = Launch("0" * 32, campaign, found, recipient, {})
    return launch, _unsigned(Links(settings.public_url, settings.signing_keys()).of(launch))


def _unsigned(link: str | None) -> str | None:
    """As long as the real one, so that all else is as it would be."""
    # Who may look must not act by what is shown to him, nor a copy that is passed on.
    if link is None:
        return None
    address, path, signed = link.rpartition(links.PATH)
    return address + path + "0" * len(signed)


def _rendered(settings: Settings, launch: Launch, link: str | None) -> Rendered:
    try:
        if launch.campaign.channel == "email":
            return _mail(compose_mail(launch, datetime.now(UTC), settings.mail_domain, link).content)
        body = json.loads(compose_message(launch, datetime.now(UTC), link).body)
    except (Rejected, IncorrectTemplate) as why:
        raise CannotRun(f"It would fail: {why}.") from None
    return Rendered((), [("application/json", json.dumps(body, indent=2, ensure_ascii=False))])


def _branches(launch: Launch, link: str | None) -> Iterator[str]:
    row, variables = CHANNELS[launch.campaign.channel], launch.variables(link)
    try:
        found = [each for key in (*row.needs, *row.may) for each in branches(key, getattr(launch.campaign, key), variables)]
    except TooLong:
        raise CannotRun("A branch renders to more than a message may hold.") from None
    except TooCostly:
        raise CannotRun("A condition looks at more of the profile than a message may.") from None
    yield "\n=== conditions ===" if found else "\nIt has no conditions."
    for each in found:
        yield f"\n{each.where}: {each.written} {'holds' if each.holds else 'does not hold'}"
        yield f"  if it holds: {each.then}\n  if not:      {each.otherwise}"


async def _profile(connection: asyncpg.Connection, account: int, shown: str) -> Profile:
    id_ = parse_id(shown)
    row = None if id_ is None else await connection.fetchrow(_PROFILE, id_, account)
    if id_ is None or row is None:
        raise CannotRun(f"Account {account} has no profile {shown}: `profuse profiles show` finds one by its e-mail or phone.")
    return Profile(id_, msgspec.json.decode(row["data"]), tuple(msgspec.json.decode(row["subscriptions"])))


def _mail(content: bytes) -> Rendered:
    mail = message_from_bytes(content, policy=policy.default)
    parts = [part for part in mail.walk() if isinstance(part, EmailMessage) and not part.is_multipart()]
    return Rendered(
        [(name, str(value)) for name, value in mail.items()],
        [(part.get_content_type(), part.get_content().rstrip()) for part in parts],
    )
