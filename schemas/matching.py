"""How a profile is searched for."""

from enum import StrEnum


class Matching(StrEnum):
    """The matching modes; `resource_id` narrows the subscription side of `EMAIL` and `PHONE`."""

    EMAIL = "email"
    EMAIL_PROFILE = "email_profile"
    PHONE = "phone"
    PROFILE_ID = "profile_id"
    CUSTOM = "custom"
