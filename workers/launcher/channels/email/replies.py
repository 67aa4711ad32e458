"""Pure: whom a mail server's refusal is about. The table stands in docs/mail.md, too."""

import re
from enum import Enum

from workers.launcher.channels.channel import Deferred, Rejected, Unavailable

_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# As servers quote whom they refuse: a reason outlives its profile.
# Looked for where a word begins: from each letter of a long one it would be read to its end again.
_ADDRESS = re.compile(r"""(?:"[^"]*"|(?<![^\s<>"(),;:])[^\s<>"(),;:]+)@[^\s<>"(),;:]+""")
_LONGEST = 500

# The mail is too large, or the recipient's box is full: the launch's own trouble, wherever it is said.
TOO_MUCH = 552
# The server closes the connection, or there is one too many of them.
CLOSING = 421
# It wants a log-in, another one, or another encryption: our settings are to blame.
_OURS = frozenset({530, 534, 535, 538})
# A quota or a rate of ours.
_QUOTA = frozenset({454})
# The same, said by enhanced codes (RFC 3463): its disk is full, it takes nothing now, it is congested; our rate is unusual.
_CONGESTED = frozenset({("3", "1"), ("3", "2"), ("4", "5"), ("7", "28")})


class Stage(Enum):
    """How far a mail had come when the server answered."""

    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    CONTENT = "DATA"


def refusal(stage: Stage, code: int, message: str, sender: str) -> Rejected | Deferred | Unavailable:
    """What a reply other than "go on" means.

    Only a refusal for good carries the server's words: the others are logged, and servers like to quote the address.
    """
    if code == TOO_MUCH:
        # Without its code: however many have it in common, it says nothing of the server.
        return Rejected(f"{code} {readable(message)}", answered=True)
    if code == CLOSING or code in _OURS | _QUOTA or _congested(message):
        return Unavailable(f"SMTP {code}")
    if stage is Stage.SENDER:
        # One account's sender is no reason to keep the others' mails.
        return Unavailable(f"SMTP {code} to {stage.value}", place_of_sender(sender))
    if code >= 500:
        return Rejected(f"{code} {readable(message)}", code)
    return Deferred(f"SMTP {code}", code)


def place_of_sender(sender: str) -> str:
    return f"from {sender}"


def place_of_recipient(address: str) -> str:
    return f"at {address.rpartition('@')[2].lower()}"


def readable(message: str) -> str:
    """The server's words, whatever bytes it wrote, in one line, with a sign in the place of each address."""
    spoken = message.encode("utf-8", "surrogateescape")
    try:
        text = spoken.decode()
    except UnicodeDecodeError:
        # Every byte is a letter there, and most servers that write no UTF-8 mean it.
        text = spoken.decode("latin-1")
    return _ADDRESS.sub("…", _CONTROL.sub(" ", text)).strip()[:_LONGEST]


def _congested(message: str) -> bool:
    enhanced = _ENHANCED.match(message)
    return enhanced is not None and (enhanced[2], enhanced[3]) in _CONGESTED
