"""The mails in the sink, found by the launch that sent them."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path


def find(directory: Path, launch: str, most: int | None = None) -> EmailMessage | None:
    """The newest mail of a launch, among at most so many; its Message-ID begins with the launch's id."""
    for file in sorted(directory.glob("*.eml"), reverse=True)[:most]:
        mail = message_from_bytes(file.read_bytes(), policy=default)
        if mail["Message-ID"] and mail["Message-ID"].strip().startswith(f"<{launch}@"):
            return mail
    return None


def shown(mail: EmailMessage) -> str:
    """Its headers and its text."""
    body = mail.get_body(("html", "plain"))
    text = body.get_content().strip() if body else ""
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), "", text])
