"""Pure: whom a launch reaches."""

from collections.abc import Mapping
from typing import Any

from workers.launcher.terms import Campaign, Profile, Recipient

# The key that holds a subscription's address, by its channel.
_ADDRESS = {"email": "email"}


def choose(campaign: Campaign, profile: Profile) -> Recipient | None:
    """The best subscription of the trigger's resource, or the profile's own address where none is asked for."""
    if campaign.resource is None or campaign.unconditional_sending:
        return Recipient(profile.email) if profile.email else None
    fitting = [each for each in profile.subscriptions if _fits(campaign, each)]
    if not fitting:
        return None
    # Subscriptions are stored in the order they were added, and the first of the equal ones wins.
    best = min(fitting, key=lambda subscription: subscription.get("priority") or 0)
    return Recipient(best[_ADDRESS[campaign.channel]], best)


def _fits(campaign: Campaign, subscription: Mapping[str, Any]) -> bool:
    return bool(
        subscription["resource_id"] == campaign.resource
        and subscription["channel"] == campaign.channel
        and subscription.get("status", "subscribed") == "subscribed"
    )
