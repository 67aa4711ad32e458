"""Pure: a launch as a mail."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from workers.launcher import addresses, bodies, headers
from workers.launcher.channel import Refused
from workers.launcher.templates import Rendered, TooLong, render_html, render_text
from workers.launcher.terms import Attachment, Launch

# Whatever could end a header, and begin another one, is a blank.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Servers cut headers, or refuse them, at some 100 KB.
_LONGEST_SUBJECT = 10_000
_TYPE = re.compile(r"(?!multipart/|message/)[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
# An underscore follows no `=` in quoted-printable, and is no letter of base64: no line of any part looks like this one.
_BOUNDARY = "=_profuse"

_NAMES = (b"From", b"To", b"Subject", b"Date", b"Message-ID", b"MIME-Version", b"Content-Type")
_VALUE = rb"[ -~\x80-\xff]*(?:\r\n [ -~\x80-\xff]+)*"
_OURS = re.compile(rb"\r\n".join(rb"%b:%b" % (name, _VALUE) for name in _NAMES))


@dataclass(frozen=True)
class Mail:
    """A mail as it travels: its envelope, and its bytes in lines that end with CR LF."""

    sender: str
    recipient: str
    content: bytes
    # How many variables of its templates have no value.
    unknown: int


def compose(launch: Launch, now: datetime, domain: str) -> Mail:
    """The mail, whose Message-ID ends with `domain`; raises `Refused` for a launch that no mail can carry."""
    try:
        subject, body = _rendered(launch)
        name, sender = addresses.parted(_one_line(launch.campaign.sender))
        lines = [
            headers.mailbox("From", name, _usable(sender)),
            headers.mailbox("To", "", _usable(launch.recipient.address)),
            headers.text("Subject", _one_line(subject.text)),
            f"Date: {format_datetime(now)}".encode(),
            # The same in every attempt, so that a repeat can be told from a second mail.
            f"Message-ID: <{launch.id}@{domain}>".encode(),
            b"MIME-Version: 1.0",
        ]
        content = _content(lines, body.text, launch.campaign.attachments)
    except TooLong:
        raise Refused("renders to more than a mail may hold") from None
    except UnicodeEncodeError:
        raise Refused("holds text that cannot be sent") from None
    return Mail(sender, launch.recipient.address, content, subject.unknown + body.unknown)


def _content(lines: list[bytes], html: str, attachments: tuple[Attachment, ...]) -> bytes:
    encoding, text = bodies.text(html)
    kind = b"Content-Type: text/html; charset=utf-8"
    part = b"Content-Transfer-Encoding: %b\r\n\r\n%b" % (encoding, text)
    if not attachments:
        return _only_ours([*lines, kind]) + b"\r\n" + part
    head = _only_ours([*lines, f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"'.encode()])
    return b"%b\r\n\r\n--%b\r\n%b\r\n%b%b" % (head, _BOUNDARY.encode(), kind, part, b"".join(_attached(attachments)))


def _only_ours(lines: list[bytes]) -> bytes:
    head = b"\r\n".join(lines)
    # Whatever was overlooked: no mail leaves with a header that is not ours.
    if not _OURS.fullmatch(head):
        raise Refused("would have other headers than its own")
    return head


def _rendered(launch: Launch) -> tuple[Rendered, Rendered]:
    lead = {**launch.profile.data, "_id": launch.profile.id.hex()}
    variables = {"lead": lead, "apicontent": launch.campaign.content}
    subject = render_text(launch.campaign.subject, variables)
    if len(subject.text) > _LONGEST_SUBJECT:
        raise Refused(f"subject has more than {_LONGEST_SUBJECT} characters")
    return subject, render_html(launch.campaign.html, variables)


def _usable(address: str) -> str:
    if not addresses.usable(address):
        raise Refused("address cannot be used")
    return address


def _attached(attachments: Iterable[Attachment]) -> Iterator[bytes]:
    """The parts that follow the first one, and the end of the mail."""
    for each in attachments:
        # A multipart may not be encoded, so one that comes as a file is only bytes.
        kind = each.mimetype if _TYPE.fullmatch(each.mimetype) else "application/octet-stream"
        place = ["attachment", *headers.file_name(_one_line(each.name))]
        yield f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n".encode()
        yield headers.folded("Content-Disposition", [f"{token};" for token in place[:-1]] + place[-1:]) + b"\r\n\r\n"
        # An empty file has an empty line, or its head would have no end.
        yield bodies.base64(each.data) or b"\r\n"
    yield f"--{_BOUNDARY}--\r\n".encode()


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text)
