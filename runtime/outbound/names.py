"""Addresses of names, looked up in threads of their own.

The system looks a name up for up to half a minute, and cannot be told to stop. In the threads that all of a process shares,
a handful of names whose servers do not answer would keep everybody else's waiting, Postgres' among them.
"""

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import NamedTuple

from aiohttp.abc import AbstractResolver, ResolveResult

# Look-ups at a time; of names that took long beside those of the others.
QUICK = 64
SLOW = 128
# Seconds. A server that answers does so sooner.
LONG = 1.0

_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV


class _Found(NamedTuple):
    family: int
    protocol: int
    address: str


class Names(AbstractResolver):
    """Looks each name up once for all who ask at the same time; one that took long has to wait for others that did."""

    def __init__(self) -> None:
        self._quick = asyncio.Semaphore(QUICK)
        self._slow = asyncio.Semaphore(SLOW)
        # Those that operators have named, so they are few.
        self._suspects: set[str] = set()
        self._asked: dict[tuple[str, int], asyncio.Task[list[_Found]]] = {}

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """Raises `OSError` where there is no such name, or nobody knows."""
        key = host, family
        if key not in self._asked:
            self._asked[key] = asyncio.create_task(self._look_up(host, family))
            self._asked[key].add_done_callback(lambda _: self._asked.pop(key))
        # Who gives up takes it from nobody else, and the thread could not be stopped anyway.
        found = await asyncio.shield(self._asked[key])
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=each.address, port=port, family=each.family, proto=each.protocol, flags=numeric)
            for each in found
        ]

    async def close(self) -> None:
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def is_suspect(self, host: str) -> bool:
        """Whether it took long when it was looked up last."""
        return host in self._suspects

    async def _look_up(self, host: str, family: int) -> list[_Found]:
        place = self._slow if self.is_suspect(host) else self._quick
        await place.acquire()
        try:
            looking = asyncio.wrap_future(_in_a_thread(host, family))
            if (await asyncio.wait({looking}, timeout=LONG))[0]:
                self._suspects.discard(host)
            else:
                self._suspects.add(host)
                place = await self._moved(place)
            return await looking
        finally:
            place.release()

    async def _moved(self, place: asyncio.Semaphore) -> asyncio.Semaphore:
        """Among those that take long, if there is room."""
        if self._slow.locked():
            return place
        await self._slow.acquire()
        place.release()
        return self._slow


def _in_a_thread(host: str, family: int) -> Future[list[_Found]]:
    found: Future[list[_Found]] = Future()
    # From here on it is not cancelled any more, whoever has stopped waiting for it.
    found.set_running_or_notify_cancel()
    # A daemon, or a process that is to stop would wait for it.
    threading.Thread(target=_find, args=(found, host, family), name="look-up", daemon=True).start()
    return found


def _find(found: Future[list[_Found]], host: str, family: int) -> None:
    try:
        infos = socket.getaddrinfo(host, 0, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        # By its name of digits, which has the zone of an address that is good for one link only.
        found.set_result([_Found(kind, protocol, socket.getnameinfo(address, _NUMERIC)[0]) for kind, _, protocol, _, address in infos])
    except OSError as error:
        found.set_exception(error)
    except UnicodeError:
        found.set_exception(socket.gaierror(socket.EAI_NONAME, "no name can be like that"))
