"""What the calls take beside their items, under the names that the API has for it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypedDict

from profuse_client.encoding import File

Matching = Literal[
    "email",
    "email_profile",
    "email_sub",
    "phone",
    "phone_sub",
    "profile_id",
    "custom",
    "custom_sub",
    "email_phone",
    "email_phone_sub",
    "push_sub",
]

_MINUTES_OF_A_DAY = 24 * 60


class MatchBy(TypedDict, total=False):
    """How profiles are found, by `email` unless told otherwise; a value here is for items that have none of their own."""

    matching: Matching
    email: str
    phone: str
    profile_id: str
    field_name: str
    field_value: int | str
    provider: str
    subscription_id: str
    resource_id: int


class Importing(MatchBy, total=False):
    """How profiles are imported; what is left out is off."""

    skip_triggers: bool
    skip_invalid_subscriptions: bool
    detect_geo: bool


class Launching(MatchBy, total=False):
    """When the campaign starts, and what it is given; without `timeout` its own waiting time counts."""

    timeout: timedelta | Mapping[str, int]
    custom_data: Mapping[str, Any]
    content: Mapping[str, Any]
    attach: File | Mapping[str, Any] | Sequence[File | Mapping[str, Any]]
    db_id: int


class ImportingAndStarting(Importing, Launching, total=False):
    """All of both."""


def waiting(timeout: timedelta | Mapping[str, int]) -> Mapping[str, int]:
    """As the API takes it; raises `ValueError` for what it has no words for."""
    if not isinstance(timeout, timedelta):
        return timeout
    minutes, rest = divmod(timeout, timedelta(minutes=1))
    if rest or minutes < 0:
        raise ValueError("timeout: must be whole minutes from 0")
    days, minutes = divmod(minutes, _MINUTES_OF_A_DAY)
    return {"days": days, "hours": minutes // 60, "minutes": minutes % 60}
