"""The e-mail channel: persistent connections to one SMTP server."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from schemas import metrics
from workers.launcher.channel import Deferred, Refused, Unavailable
from workers.launcher.email import compose
from workers.launcher.terms import Launch

log = structlog.get_logger()


class Smtp:
    """Sends mails over at most `connections` connections, which are kept."""

    def __init__(self, url: str, connections: int) -> None:
        self.slots = asyncio.Semaphore(connections)
        self._url = urlsplit(url)
        self._idle: list[aiosmtplib.SMTP] = []

    async def send(self, launch: Launch) -> None:
        mail, unknown = compose(launch, datetime.now(UTC))
        metrics.UNKNOWN_VARIABLES.inc(unknown)
        connection = await self._connected()
        try:
            await connection.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _refusal(error.recipients[0]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal(error) from error
        except (aiosmtplib.SMTPNotSupported, ValueError) as error:
            raise Refused(f"address cannot be used: {error}") from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Deferred(repr(error)) from error
        except asyncio.CancelledError:
            # Half a dialogue: whoever used it next would read our answers.
            connection.close()
            raise
        finally:
            if connection.is_connected:
                self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def _connected(self) -> aiosmtplib.SMTP:
        """A connection that answers: an idle one, or a new one in its place."""
        while self._idle:
            connection = self._idle.pop()
            try:
                # The server may have hung up since; asking first keeps that from looking like a failed mail.
                await connection.noop()
            except (aiosmtplib.SMTPException, OSError):
                connection.close()
            else:
                return connection
        return await self._new()

    async def _new(self) -> aiosmtplib.SMTP:
        url = self._url
        user, password = (unquote(part) if part else None for part in (url.username, url.password))
        connection = aiosmtplib.SMTP(hostname=url.hostname, port=url.port or 25, username=user, password=password)
        try:
            await connection.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(str(error)) from error
        return connection


def _refusal(error: aiosmtplib.SMTPResponseException) -> Refused | Deferred:
    reason = f"{error.code} {error.message}"
    return Refused(reason) if error.code >= 500 else Deferred(reason)
