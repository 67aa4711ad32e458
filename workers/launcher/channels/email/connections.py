"""Connections to one mail server: those that rest are used again, and a server is given no more of them than it bears."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import aiosmtplib

from workers.launcher.channels.channel import Unavailable
from workers.launcher.channels.email.replies import readable
from workers.launcher.clock import clock

# A connection that rested longer may have been forgotten on its way; a new one is cheaper than a mail that waits.
_FRESH = 30.0
# How long a server that refused one more connection is not asked for it again.
_HUMBLE = 30.0
# For TCP, the greeting and each answer before the first mail: RFC 5321, 4.5.3.2.1.
_GREETED_WITHIN = 300.0
# How each scheme speaks TLS: at once, by STARTTLS or not at all, or by STARTTLS where it is offered.
_TLS: Mapping[str, dict[str, Any]] = {
    "smtps": {"use_tls": True, "start_tls": False},
    "smtp+starttls": {"use_tls": False, "start_tls": True},
    "smtp": {"use_tls": False, "start_tls": None},
}
_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}


class Calling(NamedTuple):
    """How a server is called: whom TLS trusts, and what connects to a host and port; None: the library does."""

    trust: ssl.SSLContext | None = None
    dial: Callable[[str, int], Awaitable[socket.socket]] | None = None


class Connections:
    """Lends connections. One that is refused while others work is the server's limit, and nobody's trouble."""

    def __init__(self, url: str, calling: Calling) -> None:
        self._url = urlsplit(url)
        self._calling = calling
        # Each with the moment since which it rests.
        self._resting: list[tuple[aiosmtplib.SMTP, float]] = []
        self._lent = 0
        self._opening = 0
        self._most = 0
        self._humble_until = 0.0
        # The server itself said that there are too many.
        self._asked_for = False
        self._waiting: list[asyncio.Future[None]] = []

    async def lend(self) -> aiosmtplib.SMTP:
        """A connection that is to be given back; raises `Unavailable` when there is none at all."""
        while True:
            if (rested := self._rested()) is not None:
                self._lent += 1
                return rested
            if self._may_open() and (opened := await self._opened()) is not None:
                return opened
            # One may have been given back while another was refused.
            if not self._resting:
                await self._change()

    def give_back(self, connection: aiosmtplib.SMTP) -> None:
        self._lent -= 1
        if connection.is_connected:
            self._resting.append((connection, clock()))
        elif not self._lent and not self._asked_for:
            # None is left of those beside which the server refused more: it may have gone, and come back.
            self._humble_until = 0.0
        self._tell()

    def broken(self, *, crowded: bool) -> None:
        """One that was lent has ended: those that rest may have, too. `crowded`: the server may want fewer."""
        while self._resting:
            self._resting.pop()[0].close()
        if crowded:
            self._be_humble(self._lent - 1, asked_for=True)

    def close(self) -> None:
        while self._resting:
            self._resting.pop()[0].close()

    def _rested(self) -> aiosmtplib.SMTP | None:
        while self._resting:
            connection, since = self._resting.pop()
            if connection.is_connected and clock() - since < _FRESH:
                return connection
            connection.close()
        return None

    def _may_open(self) -> bool:
        return self._lent + self._opening < self._most or clock() >= self._humble_until

    async def _opened(self) -> aiosmtplib.SMTP | None:
        """None: others work, or are being opened, and how they fare will tell."""
        self._opening += 1
        try:
            connection = await self._connected()
        except (aiosmtplib.SMTPException, OSError) as error:
            self._opening -= 1
            if not (self._lent or self._resting or self._opening):
                # A connection that was not made in time has no words.
                why = readable(str(error)) or type(error).__name__
                self._tell(why)
                raise Unavailable(why) from error
            if self._lent:
                self._be_humble(self._lent + len(self._resting), asked_for=self._asked_for and clock() < self._humble_until)
            return None
        except BaseException:
            self._opening -= 1
            # Nobody knows how it would have fared: the next one may ask.
            self._tell()
            raise
        self._opening -= 1
        self._lent += 1
        self._tell()
        return connection

    def _be_humble(self, most: int, *, asked_for: bool) -> None:
        # With none left the next one finds out whether there is a server.
        self._most, self._humble_until, self._asked_for = max(most, 1), clock() + _HUMBLE, asked_for

    async def _change(self) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        humble = self._humble_until - clock()
        # Those that are out may hang for minutes with somebody else's recipients: then the server is asked once more.
        await asyncio.wait({mine}, timeout=humble if humble > 0 else _HUMBLE)
        if not mine.cancel():
            mine.result()

    def _tell(self, trouble: str | None = None) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_exception(Unavailable(trouble)) if trouble else each.set_result(None)

    async def _connected(self) -> aiosmtplib.SMTP:
        url = self._url
        user, password = (unquote(part) if part else None for part in (url.username, url.password))
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        trust, dial = self._calling
        dialled = None
        if dial is not None:
            async with asyncio.timeout(_GREETED_WITHIN):
                dialled = await dial(host, port)
        connection = aiosmtplib.SMTP(
            hostname=host,
            port=port if dialled is None else None,
            sock=dialled,
            username=user,
            password=password,
            tls_context=trust,
            timeout=_GREETED_WITHIN,
            **_TLS[url.scheme],
        )
        await connection.connect()
        if connection.is_ehlo_or_helo_needed:
            await _said_hello(connection)
        return connection


async def _said_hello(connection: aiosmtplib.SMTP) -> None:
    try:
        await connection.ehlo()
    except aiosmtplib.SMTPHeloError:
        try:
            await connection.helo()
        except aiosmtplib.SMTPException:
            connection.close()
            raise
    except aiosmtplib.SMTPException:
        connection.close()
        raise
