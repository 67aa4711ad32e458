"""The e-mail channel: persistent connections to one SMTP server."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from schemas import metrics
from workers.launcher import blocks
from workers.launcher.channel import Deferred, Refused, Unavailable
from workers.launcher.email import Mail, compose
from workers.launcher.terms import Launch

# A connection that rested longer may have been forgotten on its way; a new one is cheaper than a mail that waits.
_FRESH = 30.0
# Seconds that a server may take for a block of a mail: RFC 5321, 4.5.3.2.
_BLOCK = 180.0
# How each scheme speaks TLS: at once, by STARTTLS or not at all, or by STARTTLS where it is offered.
_TLS: Mapping[str, dict[str, Any]] = {
    "smtps": {"use_tls": True, "start_tls": False},
    "smtp+starttls": {"use_tls": False, "start_tls": True},
    "smtp": {"use_tls": False, "start_tls": None},
}
_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
# The server wants another user or password: our settings are to blame, and no launch fails for it.
_LOG_IN = (530, 535)


class Smtp:
    """Sends mails over at most `connections` connections, which are kept."""

    def __init__(self, url: str, connections: int, domain: str, trust: ssl.SSLContext | None = None) -> None:
        self._domain = domain
        self.slots = asyncio.Semaphore(connections)
        self._trust = trust
        self._url = urlsplit(url)
        # Each with the moment since which it rests.
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []

    async def send(self, launch: Launch) -> None:
        mail = compose(launch, datetime.now(UTC), self._domain)
        metrics.UNKNOWN_VARIABLES.inc(mail.unknown)
        connection = await self._connected()
        try:
            await _hand_over(connection, mail)
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Deferred(type(error).__name__) from error
        except asyncio.CancelledError:
            # Half a dialogue: whoever used it next would read our answers.
            connection.close()
            raise
        finally:
            if connection.is_connected:
                self._idle.append((connection, time.monotonic()))

    async def close(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()

    async def _connected(self) -> aiosmtplib.SMTP:
        """An idle connection, or a new one in its place."""
        while self._idle:
            connection, since = self._idle.pop()
            if connection.is_connected and time.monotonic() - since < _FRESH:
                return connection
            connection.close()
        return await self._new()

    async def _new(self) -> aiosmtplib.SMTP:
        url = self._url
        user, password = (unquote(part) if part else None for part in (url.username, url.password))
        connection = aiosmtplib.SMTP(
            hostname=url.hostname,
            port=url.port or _PORTS[url.scheme],
            username=user,
            password=password,
            tls_context=self._trust,
            **_TLS[url.scheme],
        )
        try:
            await connection.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(str(error)) from error
        return connection


async def _hand_over(connection: aiosmtplib.SMTP, mail: Mail) -> None:
    pieces = [mail.content, *mail.enclosed]
    # Only addresses can hold other letters than ASCII's: all else is encoded.
    wide = not (mail.sender.isascii() and mail.recipient.isascii())
    if wide and not connection.supports_extension("SMTPUTF8"):
        raise Refused("address cannot be used: the mail server takes ASCII only")
    options = ["SMTPUTF8"] if wide else []
    if connection.supports_extension("SIZE"):
        options.append(f"SIZE={sum(map(len, pieces))}")
    encoding = "utf-8" if wide else "ascii"
    try:
        await connection.mail(mail.sender, options=options, encoding=encoding)
        await connection.rcpt(mail.recipient, encoding=encoding)
        await _content(connection, pieces)
    except aiosmtplib.SMTPResponseException:
        with suppress(aiosmtplib.SMTPException, OSError):
            await connection.rset()
        raise


async def _content(connection: aiosmtplib.SMTP, pieces: list[bytes]) -> None:
    answer = await connection.execute_command(b"DATA")
    if answer.code == aiosmtplib.SMTPStatus.start_input:
        # A line that begins with a dot could end the mail; those of files never do.
        quoted = pieces[0].replace(b"\r\n.", b"\r\n..")
        await blocks.write(connection, [quoted, *pieces[1:]], _BLOCK)
        answer = await connection.execute_command(b".")
    if answer.code != aiosmtplib.SMTPStatus.completed:
        raise aiosmtplib.SMTPDataError(answer.code, answer.message)


def _refusal(error: aiosmtplib.SMTPResponseException) -> Refused | Deferred | Unavailable:
    """Only a refusal for good carries the server's words: the others are logged, and servers like to quote the address."""
    if error.code in _LOG_IN:
        return Unavailable(f"SMTP {error.code}")
    return Refused(f"{error.code} {error.message}") if error.code >= 500 else Deferred(f"SMTP {error.code}")
