"""What sorts of values profiles are found by."""

from enum import IntEnum


class Kind(IntEnum):
    """What sort of value an identity is; stored, so a number never changes its meaning."""

    EMAIL = 1
    EMAIL_SUBSCRIPTION = 2
    EMAIL_SUBSCRIPTION_OF_RESOURCE = 3
    PHONE = 4
    SMS_SUBSCRIPTION = 5
    SMS_SUBSCRIPTION_OF_RESOURCE = 6
    FIELD = 7
    PUSH_SUBSCRIPTION = 8
    PUSH_SUBSCRIPTION_OF_RESOURCE = 9
    CUSTOM_SUBSCRIPTION = 10
    CUSTOM_SUBSCRIPTION_OF_RESOURCE = 11


Identity = tuple[Kind, str]

Key = tuple[int, Identity]
"""An identity in its database."""
