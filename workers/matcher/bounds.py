"""How large a profile may be as it is stored."""

from schemas.levels import PROFILE_LEVELS
from schemas.settings import MIB

# Bytes of JSON; a profile is read and written whole at each change.
LARGEST_PROFILE = MIB
MOST_SUBSCRIPTIONS = 1_000
# A field's value stands in its profile; what a subscription holds in that and in the array of all.
FIELD_LEVELS = PROFILE_LEVELS - 1
SUBSCRIPTION_LEVELS = FIELD_LEVELS - 1
