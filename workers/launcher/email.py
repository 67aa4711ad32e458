"""Pure: a launch as a mail."""

import re
from collections.abc import Iterable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from workers.launcher.channel import Refused
from workers.launcher.templates import Rendered, render_html, render_text
from workers.launcher.terms import Attachment, Launch

# Whatever could end a header, and begin another one, is a blank.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Profiles hold normalised addresses: their domains are ASCII, and what needs quotes was refused at the door.
_ADDRESS = re.compile(r"([^\s@<>()\[\]\\,;:\"]+)@([A-Za-z0-9.-]+)")
# Folding a header takes time that grows with the square of its length.
_LONGEST_SUBJECT = 500


def compose(launch: Launch, now: datetime) -> tuple[EmailMessage, int]:
    """The mail and the number of its unknown variables; raises `Refused` for an address that no mail can carry."""
    subject, body = _rendered(launch)
    mail = EmailMessage()
    sender = _address(*parseaddr(_one_line(launch.campaign.sender)))
    mail["From"] = sender
    mail["To"] = _address("", launch.recipient.address)
    mail["Subject"] = _one_line(subject.text)[:_LONGEST_SUBJECT]
    mail["Date"] = format_datetime(now)
    # The same in every attempt, so that a repeat can be told from a second mail.
    mail["Message-ID"] = f"<{launch.id}@{sender.domain}>"
    mail.set_content(body.text, subtype="html")
    _attach(mail, launch.campaign.attachments)
    return mail, subject.unknown + body.unknown


def _rendered(launch: Launch) -> tuple[Rendered, Rendered]:
    lead = {**launch.profile.data, "_id": launch.profile.id.hex()}
    variables = {"lead": lead, "apicontent": launch.campaign.content}
    return render_text(launch.campaign.subject, variables), render_html(launch.campaign.html, variables)


def _address(name: str, address: str) -> Address:
    parts = _ADDRESS.fullmatch(address)
    if parts is None:
        raise Refused("address cannot be used")
    return Address(name, username=parts[1], domain=parts[2])


def _attach(mail: EmailMessage, attachments: Iterable[Attachment]) -> None:
    for each in attachments:
        kind, _, detail = each.mimetype.partition("/")
        # A multipart may not be encoded, so one that comes as a file is only bytes.
        kind, detail = (kind, detail) if detail and kind not in ("multipart", "message") else ("application", "octet-stream")
        mail.add_attachment(each.data, maintype=_one_line(kind), subtype=_one_line(detail), filename=_one_line(each.name))


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()
