"""Pure: what happens to a launch that is due."""

from workers.launcher.deliver import recipients
from workers.launcher.model import Campaign, Ending, Outcome, Profile, Recipient

TRIGGER_INACTIVE = Outcome(Ending.SKIP, "trigger_inactive")
CANCELLED = Outcome(Ending.CANCEL)
PROFILE_DELETED = Outcome(Ending.SKIP, "profile_deleted")
PROFILE_STATUS = Outcome(Ending.SKIP, "profile_status")
NO_SUBSCRIPTION = Outcome(Ending.SKIP, "no_subscription")

_SUBSCRIBED = 0


def decide(campaign: Campaign, profile: Profile | None, *, cancelled: bool = False) -> Recipient | Outcome:
    """Whom to send to, or why nobody; `cancelled`: this launch was taken back.

    A profile that is gone was deleted after its import: nothing went wrong, so it is skipped, not failed.
    """
    if cancelled:
        return CANCELLED
    if not campaign.active:
        return TRIGGER_INACTIVE
    if profile is None:
        return PROFILE_DELETED
    if profile.data.get("_status", _SUBSCRIBED) != _SUBSCRIBED:
        return PROFILE_STATUS
    return recipients.choose(campaign, profile) or NO_SUBSCRIPTION
