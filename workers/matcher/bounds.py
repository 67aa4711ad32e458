"""How large a profile may be as it is stored."""

from schemas.settings import MIB

# Bytes of JSON; a profile is read and written whole at each change.
LARGEST_PROFILE = MIB
MOST_SUBSCRIPTIONS = 1_000
