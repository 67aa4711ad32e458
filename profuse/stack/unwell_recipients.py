"""Pure: recipients at which the mail sink behaves as some mail servers of the world do, so that it can be tried out."""

from dataclasses import dataclass

# Anything may stand between the trouble and this: `refuses.sink.test`, `refuses.shop-7.sink.test`.
DOMAIN = "sink.test"
# More than most clients' patience, and less than RFC 5321 asks of them.
SLOW = 9.0
# Until the client leaves.
FOR_EVER = 3600.0


@dataclass(frozen=True)
class Trouble:
    """What happens to a mail; with neither, it is kept and answered at once."""

    # Answered to RCPT instead of 250.
    reply: bytes | None = None
    # Only the first time that this recipient is named.
    once: bool = False
    # Seconds before RCPT is answered, and before the mail is.
    before_reply: float = 0.0
    after_dot: float = 0.0
    # The connection breaks instead of the mail's answer.
    breaks: bool = False


TROUBLES = {
    "refuses": Trouble(reply=b"550 5.1.1 No such user"),
    "mumbles": Trouble(reply=b"550 5.1.1 acc\xe8s refus\xe9"),
    "defers": Trouble(reply=b"450 4.2.0 Try again later"),
    "recovers": Trouble(reply=b"451 4.7.1 Greylisted", once=True),
    "hangs": Trouble(before_reply=FOR_EVER),
    "slow": Trouble(after_dot=SLOW),
    "breaks": Trouble(breaks=True),
}
NONE = Trouble()


def trouble_of(address: str) -> Trouble:
    """What its domain asks for."""
    domain = address.rpartition("@")[2].lower()
    return TROUBLES.get(domain.partition(".")[0], NONE) if domain.endswith(f".{DOMAIN}") else NONE
