"""The mails that arrived, each as its reader sees it."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path

from profuse.torture.verdict.seen import Mail

_NANOSECONDS = 1_000_000_000


def arrived(mails: Path, read: tuple[str, ...]) -> Iterator[Mail]:
    """In the order of their arrival, which their files are named by; what goes to a domain that ends with one of `read` is read whole."""
    parser = BytesHeaderParser()
    for file in sorted(mails.glob("*.eml")):
        content = file.read_bytes()
        headers = parser.parsebytes(content)
        # A Message-ID begins with the id of its launch.
        launch = str(headers["Message-ID"] or "").strip().strip("<").partition("@")[0]
        at, to = int(file.name.partition("-")[0]) / _NANOSECONDS, str(headers["To"])
        yield _whole(launch, at, content) if to.endswith(read) else Mail(launch, at, to)


def _whole(launch: str, at: float, content: bytes) -> Mail:
    mail = message_from_bytes(content, policy=policy.default)
    body = mail.get_body(("html",))
    text = "" if body is None else body.get_content().strip()
    files = {part.get_filename() or "": _content(part) for part in mail.iter_attachments()}
    return Mail(launch, at, str(mail["To"]), str(mail["Subject"]), text, files)


def _content(file: EmailMessage) -> bytes:
    content = file.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
