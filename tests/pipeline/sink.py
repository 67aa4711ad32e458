"""The world outside: an SMTP server that remembers what it was given."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from profuse.stack.ports import free_port

_HEADERS = BytesHeaderParser()


class Sink:
    """Mails as they arrived, oldest first."""

    def __init__(self) -> None:
        self.port = free_port()
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        self.envelopes.append(envelope)
        return "250 OK"

    def mails(self, *recipients: str) -> list[EmailMessage]:
        """The mails to these recipients; without any, all."""
        return [_read(envelope) for envelope in list(self.envelopes) if not recipients or set(recipients) & set(envelope.rcpt_tos)]

    def arrivals(self, recipients: str) -> dict[str, list[str]]:
        """For each address that begins so, the `Message-ID`s of the mails that it got."""
        found: dict[str, list[str]] = {}
        for envelope in list(self.envelopes):
            for address in envelope.rcpt_tos:
                if address.startswith(recipients):
                    found.setdefault(address, []).append(_HEADERS.parsebytes(_content(envelope))["Message-ID"])
        return found


def _content(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


def _read(envelope: Envelope) -> EmailMessage:
    return message_from_bytes(_content(envelope), policy=policy.default)


@contextmanager
def listening() -> Iterator[Sink]:
    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
