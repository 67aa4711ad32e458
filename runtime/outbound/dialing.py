"""How whoever an account names is reached: his name is looked up, and each of its addresses is judged when it is called."""

import socket
import ssl
from types import TracebackType
from typing import Self

import aiohappyeyeballs
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import AsyncResolver

from runtime.outbound.reach import Reach
from schemas.settings import Settings
from schemas.tls import client_context

# Seconds after which the next of a name's addresses is tried beside the one before.
_NEXT_AFTER = 0.25


class Dialer:
    """What leaves by HTTP or by SMTP goes through it; `names` says where names are, if that is not for the system's settings to say."""

    def __init__(self, reach: Reach, trust: ssl.SSLContext, names: AbstractResolver | None = None) -> None:
        self.reach = reach
        # By whom TLS knows a server that was reached.
        self.trust = trust
        # Not by threads, which all of a process shares: names whose servers do not answer would keep everybody else's waiting.
        self.names = names or AsyncResolver()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.names.close()

    async def dial(self, host: str, port: int) -> socket.socket:
        """A connection to one of its addresses; raises `OSError`, of which `Denied` is one."""
        try:
            found = await self.names.resolve(host, port, socket.AF_UNSPEC)
        except UnicodeError as error:
            raise OSError("no name can be like that") from error
        resolved = [(each["family"], socket.SOCK_STREAM, each["proto"], "", _address(each["host"], each["port"])) for each in found]
        return await aiohappyeyeballs.start_connection(
            resolved, happy_eyeballs_delay=_NEXT_AFTER, interleave=1, socket_factory=self.reach.socket
        )


def open_dialer(settings: Settings) -> Dialer:
    """As the operator wants it."""
    return Dialer(Reach(settings.outbound_allow, settings.outbound_deny), client_context(settings.outbound_ca))


def _address(host: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    return (host, port, 0, 0) if ":" in host else (host, port)
