"""API tokens: what they allow, and the form in which they are stored."""

import hashlib
from enum import StrEnum


class Right(StrEnum):
    """What an endpoint may ask of a token."""

    IMPORT = "import"
    LAUNCH = "launch"
    READ = "read"
    ERASE = "erase"
    CONFIGURE = "configure"


# What a token may do unless it is told otherwise: nothing that cannot be taken back.
USUAL_RIGHTS = (Right.IMPORT, Right.LAUNCH, Right.READ)


# A token's `http_status`: every answer has HTTP 200, but for 429 and 503.
ALWAYS_200 = "always_200"


def hashed(token: str) -> bytes:
    """SHA-256: tokens are long and random, so that a slow hash would protect nothing."""
    return hashlib.sha256(token.encode()).digest()
