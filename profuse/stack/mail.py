"""The mail sink: an SMTP server that keeps every mail it accepts as one file, and makes trouble for whoever asks for it."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

from profuse.stack.unwell_recipients import trouble_of
from schemas.settings import Settings


class MailSink:
    """Listens where PROFUSE_SMTP says."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._address = urlsplit(settings.smtp)
        self._directory = directory
        # Recipients whose first trouble is over.
        self._met: set[str] = set()

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._session, self._address.hostname, self._address.port or 25)
        async with server:
            await stop.wait()

    def alive(self) -> list[str]:
        return []

    async def ready(self) -> list[str]:
        return [] if os.access(self._directory, os.W_OK) else [f"{self._directory} cannot be written to"]

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str | bytes:
        trouble = trouble_of(address)
        await asyncio.sleep(trouble.before_reply)
        if trouble.reply is not None and not (trouble.once and address in self._met):
            self._met.add(address)
            return trouble.reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        await asyncio.to_thread(keep, self._directory, envelope.original_content or b"")
        troubles = [trouble_of(address) for address in envelope.rcpt_tos]
        await asyncio.sleep(max(trouble.after_dot for trouble in troubles))
        if server.transport is not None and any(trouble.breaks for trouble in troubles):
            server.transport.close()
        return "250 OK"

    def _session(self) -> SMTP:
        return SMTP(self, data_size_limit=None, enable_SMTPUTF8=True, loop=asyncio.get_running_loop())


@asynccontextmanager
async def open_mail_sink(settings: Settings, directory: Path) -> AsyncIterator[MailSink]:
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    yield MailSink(settings, directory)


def keep(directory: Path, mail: bytes) -> Path:
    """Store a mail whole and durably, or not at all."""
    # In the order of delivery.
    name = f"{time.time_ns()}-{secrets.token_hex(4)}"
    unfinished, kept = directory / f".{name}", directory / f"{name}.eml"
    with unfinished.open("wb") as file:
        file.write(mail)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(kept)
    _sync(directory)
    return kept


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
