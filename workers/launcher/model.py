"""What the launcher talks about: campaigns, profiles, recipients, launches and their outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.ids import ResourceNumber, TriggerNumber


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
    # Whether files go out with its mails; `enclosed` is their parts, once they are encoded.
    has_files: bool = False
    enclosed: Sequence[bytes] = ()


@dataclass(frozen=True)
class Profile:
    """A profile as it is now."""

    id: bytes
    data: Mapping[str, Any]
    subscriptions: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Recipient:
    """Where a launch goes, and the subscription that says so (None: the profile's own address)."""

    address: str
    subscription: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Launch:
    """One message to one recipient; every attempt has the same id."""

    id: str
    campaign: Campaign
    profile: Profile
    recipient: Recipient


class Ending(StrEnum):
    """How a launch ends; also the type of the event that says so."""

    SEND = "send"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True)
class Outcome:
    """How a launch ended, and why if nothing was sent."""

    ending: Ending
    reason: str | None = None
    subscription: Mapping[str, Any] | None = None
