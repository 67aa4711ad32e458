"""Pure: a launch as a mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from schemas import mailboxes
from schemas.templating.budget import TooCostly
from schemas.templating.rendering import Rendered, TooLong, render_html, render_text
from workers.launcher.channels.channel import Rejected
from workers.launcher.channels.email import bodies, header_encoding
from workers.launcher.channels.email.enclosing import BOUNDARY
from workers.launcher.channels.email.unsubscribe_headers import ALLOWED, unsubscribe_headers
from workers.launcher.model import Launch

# Servers cut headers, or refuse them, at some 100 KB.
_LONGEST_SUBJECT = 10_000
_MAILBOXES = (b"From", b"To")
_NAMES = (b"Subject", b"Date", b"Message-ID", b"MIME-Version")
# Begins otherwise than the boundary of a mail's files does: readers compare the beginnings of lines.
ALTERNATIVE = b"=_alternative_profuse"
_ASCII = rb"[ -~]*(?:\r\n [ -~]+)*"
# An address may be wider than ASCII, which its server is asked for; nothing else of a header may.
_WIDE = rb"[ -~\x80-\xff]*(?:\r\n [ -~\x80-\xff]+)*"
_LINES = (*(rb"%b:%b\r\n" % (name, _WIDE) for name in _MAILBOXES), *(rb"%b:%b\r\n" % (name, _ASCII) for name in _NAMES))
_OURS = re.compile(rb"%b%bContent-Type:%b" % (b"".join(_LINES), ALLOWED, _ASCII))


@dataclass(frozen=True)
class Mail:
    """A mail as it travels: its envelope, and its bytes in lines that end with CR LF.

    `enclosed` follows `content`, in pieces that are shared by all mails of a batch; no line of it begins with a dot.
    """

    sender: str
    recipient: str
    content: bytes
    enclosed: Sequence[bytes]
    # How many variables of its templates have no value.
    unknown: int


def compose(launch: Launch, now: datetime, domain: str, link: str | None = None) -> Mail:
    """The mail, whose Message-ID ends with `domain`; `link` is where its reader unsubscribes.

    Raises `Rejected` for a launch that no mail can carry.
    """
    try:
        subject, plain, body = _rendered(launch, link)
        name, sender = mailboxes.parted(header_encoding.one_line(launch.campaign.sender))
        lines = [
            header_encoding.mailbox("From", name, _usable(sender)),
            header_encoding.mailbox("To", "", _usable(launch.recipient.address)),
            header_encoding.text("Subject", subject.text),
            _date(int(now.timestamp())),
            # The same in every attempt, so that a repeat can be told from a second mail.
            f"Message-ID: <{launch.id}@{domain}>".encode(),
            b"MIME-Version: 1.0",
            *unsubscribe_headers(link),
        ]
        content = _content(lines, _Text(plain.text if plain else None, body.text), multipart=bool(launch.campaign.enclosed))
    except TooCostly:
        raise Rejected("looks at more of its profile than a mail may, by too many conditions on large fields") from None
    except TooLong:
        raise Rejected("renders to more than a mail may hold") from None
    except UnicodeEncodeError:
        raise Rejected("holds text that cannot be sent") from None
    unknown = subject.unknown + body.unknown + (plain.unknown if plain else 0)
    return Mail(sender, launch.recipient.address, content, launch.campaign.enclosed, unknown)


@dataclass(frozen=True)
class _Text:
    """What a reader shows; None: the mail has no plain part."""

    plain: str | None
    html: str

    def part(self) -> tuple[bytes, bytes]:
        """The header line that says its kind, and all that follows that line."""
        if self.plain is None:
            return _part("html", self.html)
        between = b"\r\n--%b\r\n" % ALTERNATIVE
        # The last one is what a reader prefers.
        parts = b"".join(between + b"".join(_part(kind, text)) for kind, text in (("plain", self.plain), ("html", self.html)))
        return b'Content-Type: multipart/alternative; boundary="%b"' % ALTERNATIVE, b"\r\n%b\r\n--%b--\r\n" % (parts, ALTERNATIVE)


def _part(kind: str, written: str) -> tuple[bytes, bytes]:
    encoding, text = bodies.text(written)
    return b"Content-Type: text/%b; charset=utf-8" % kind.encode(), b"\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (encoding, text)


def _content(lines: list[bytes], text: _Text, *, multipart: bool) -> bytes:
    kind, rest = text.part()
    if not multipart:
        return _only_ours([*lines, kind]) + rest
    head = _only_ours([*lines, f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"'.encode()])
    return b"%b\r\n\r\n--%b\r\n%b%b" % (head, BOUNDARY.encode(), kind, rest)


def _only_ours(lines: list[bytes]) -> bytes:
    head = b"\r\n".join(lines)
    # Whatever was overlooked: no mail leaves with a header that is not ours.
    if not _OURS.fullmatch(head):
        raise Rejected("would have other headers than its own")
    return head


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    return f"Date: {format_datetime(datetime.fromtimestamp(second, UTC))}".encode()


def _rendered(launch: Launch, link: str | None) -> tuple[Rendered, Rendered | None, Rendered]:
    variables = launch.variables(link)
    subject = render_text(launch.campaign.subject, variables)
    if len(subject.text) > _LONGEST_SUBJECT:
        raise Rejected(f"subject has more than {_LONGEST_SUBJECT} characters")
    plain = render_text(launch.campaign.text, variables) if launch.campaign.text else None
    return subject, plain, render_html(launch.campaign.html, variables)


def _usable(address: str) -> str:
    if not mailboxes.usable(address):
        raise Rejected("address cannot be used")
    return address
