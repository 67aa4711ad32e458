"""What the launcher talks about: campaigns, profiles, recipients, launches and their outcomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.ids import ResourceNumber, TriggerNumber


@dataclass(frozen=True)
class Provider:
    """Whoever takes an account's messages of a channel, as it is now, with what other launchers know of it."""

    id: int
    name: str
    url: str
    secrets: Sequence[str]
    # Messages a second, of all launchers together.
    rate: int | None
    # Messages under way, of this launcher.
    concurrency: int
    # Seconds.
    timeout: int
    # Whether its account has no other for the channel.
    is_alone: bool = True
    # Seconds for which nobody tries it, and why.
    held_for: float | None = None
    why: str | None = None
    is_paused: bool = False
    # How often in a row it said that it is gone.
    gone: int = 0


@dataclass(frozen=True)
class Campaign:
    """A trigger as it is now, with what the batch gave for it; ids are the account's own numbers."""

    account: int
    database: int
    trigger: TriggerNumber
    active: bool
    channel: str
    resource: ResourceNumber | None
    unconditional_sending: bool
    sender: str
    subject: str
    html: str
    # When its batch was accepted.
    accepted_at: datetime
    content: Mapping[str, Any]
    custom_data: Mapping[str, Any]
    # Of the channels that have them.
    text: str = ""
    title: str = ""
    link: str = ""
    body: str = ""
    # The first choice first.
    providers: Sequence[Provider] = ()
    # How many its trigger names, all of which may be switched off; 0: none.
    named_providers: int = 0
    # Launches a minute, and minutes over which all of its batch are spread.
    pace: int | None = None
    spread: int | None = None
    # Items of its batch.
    total: int = 1
    # Whether all launches of its batch, or of its trigger, are taken back that are not begun.
    cancelled: bool = False
    # Whether files go out with its mails; `enclosed` is their parts, once they are encoded.
    has_files: bool = False
    enclosed: Sequence[bytes] = ()
    # Kept for as long as it is, so that campaigns of one trigger share their message.
    message: object = field(default=None, compare=False, repr=False)

    @property
    def is_spread(self) -> bool:
        """Whether launches of its batch wait for each other; one alone does not."""
        return bool(self.spread) and self.total > 1


# What there is one of for each launch is a tuple, which is made in a third of the time.
class Profile(NamedTuple):
    """A profile as it is now."""

    id: bytes
    data: Mapping[str, Any]
    subscriptions: tuple[Mapping[str, Any], ...] = ()


class Due(NamedTuple):
    """A launch that is due: its position in the group, its id, for whom, and how its profile is read (None: it is gone)."""

    position: int
    id: str
    whom: bytes
    profile: Callable[[], Profile] | None = None
    # The item's own custom_data, as JSON.
    own: str | None = None
    # As it is stored.
    email: str | None = None


class Recipient(NamedTuple):
    """Where a launch goes, and the subscription that says so (None: the profile's own address)."""

    address: str
    subscription: Mapping[str, Any] | None = None


class Launch(NamedTuple):
    """One message to one recipient; every attempt has the same id."""

    id: str
    campaign: Campaign
    profile: Profile
    recipient: Recipient
    # The item's own over its batch's.
    custom_data: Mapping[str, Any]

    def variables(self, link: str | None = None) -> Mapping[str, Mapping[str, Any]]:
        """What its templates may name; `link` is where its reader unsubscribes."""
        lead = {**self.profile.data, "_id": self.profile.id.hex()}
        own = {} if link is None else {"unsubscribe": link}
        return {"lead": lead, "subscription": self.recipient.subscription or {}, "apicontent": self.campaign.content, "": own}


class Ending(StrEnum):
    """How a launch ends; also the type of the event that says so."""

    SEND = "send"
    SKIP = "skip"
    FAIL = "fail"
    CANCEL = "cancel"


class Outcome(NamedTuple):
    """How a launch ended, and why if nothing was sent."""

    ending: Ending
    reason: str | None = None
    subscription: Mapping[str, Any] | None = None
