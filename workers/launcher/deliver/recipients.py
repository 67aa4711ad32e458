"""Pure: whom a launch reaches."""

from collections.abc import Mapping
from typing import Any

from schemas.channels import CHANNELS
from workers.launcher.model import Campaign, Profile, Recipient


def choose(campaign: Campaign, profile: Profile) -> Recipient | None:
    """The best subscription of the trigger's resource, or the profile's own address where none is asked for.

    What is stored may be older than today's rules, so a subscription of another shape is none.
    """
    row = CHANNELS[campaign.channel]
    if not row.keys:
        return Recipient("")
    if campaign.resource is None or campaign.unconditional_sending:
        own = row.own(profile.data) if row.own else None
        return Recipient(own) if isinstance(own, str) and own else None
    fitting = [each for each in profile.subscriptions if _fits(campaign, each)]
    if not fitting:
        return None
    # Subscriptions are stored in the order they were added, and the first of the equal ones wins.
    best = min(fitting, key=_priority)
    # A text, as it fits.
    return Recipient(str(row.destination(best)), best)


def _fits(campaign: Campaign, subscription: Any) -> bool:
    if not isinstance(subscription, Mapping):
        return False
    address = [subscription.get(key) for key in CHANNELS[campaign.channel].keys]
    return (
        subscription.get("resource_id") == campaign.resource
        and subscription.get("channel") == campaign.channel
        and subscription.get("status", "subscribed") == "subscribed"
        and all(isinstance(part, str) and part for part in address)
    )


def _priority(subscription: Mapping[str, Any]) -> float:
    given = subscription.get("priority")
    return given if isinstance(given, int | float) else 0
