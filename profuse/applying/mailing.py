"""Pure: whether mails can come from a sender, asked before the first one is due."""

from datetime import UTC, datetime

from schemas.addresses import normal_email
from schemas.ids import TriggerNumber
from schemas.item_errors import ItemFailed
from workers.launcher.channels.channel import Rejected
from workers.launcher.channels.email import addresses
from workers.launcher.channels.email.mail import compose
from workers.launcher.model import Campaign, Launch, Profile, Recipient


def sender(given: str) -> str:
    """The sender as it is stored, with its domain in A-labels; raises `ValueError` if no mail can come from it."""
    _, address = addresses.parted(given)
    try:
        domain = normal_email(address).rpartition("@")[2]
    except ItemFailed:
        raise ValueError('must be an address like "Demo <demo@example.com>"') from None
    before, _, after = given.rpartition(address)
    stored = f"{before}{address.rpartition('@')[0]}@{domain}{after}"
    try:
        compose(_sample(stored), datetime.now(UTC), "sample.invalid")
    except Rejected as refusal:
        raise ValueError(f"no mail can come from it: {refusal}") from None
    return stored


def _sample(sender: str) -> Launch:
    """A launch of which all but the sender can be mailed."""
    campaign = Campaign(
        account=0,
        database=0,
        trigger=TriggerNumber(0),
        active=True,
        channel="email",
        resource=None,
        unconditional_sending=True,
        sender=sender,
        subject="",
        html="",
        accepted_at=datetime.now(UTC),
        content={},
        custom_data={},
    )
    return Launch("sample", campaign, Profile(b"", {}), Recipient("somebody@sample.invalid"))
