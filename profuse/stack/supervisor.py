"""Makes the running stack equal what is wanted, until it is cancelled."""

import asyncio
import os
import signal
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from profuse.migrating import migrate
from profuse.pacing import now_and_then
from profuse.stack import directory as directories
from profuse.stack import kafka, postgres, readiness, rooms, state, wanted
from profuse.stack.child import Child, Process
from profuse.stack.keeper import Keeper, Say
from profuse.stack.ports import LOOPBACK, reachable
from profuse.stack.process_identity import identity_of
from profuse.stack.servers import prepared
from runtime.errors import CannotRun
from runtime.racing import first
from schemas.settings import Settings

# The servers go last; each stage has at least so many seconds to finish. No room waits for another one, so they go together: a
# launcher whose destinations hang needs all of that time.
_STOPPING = {wanted.ROOMS: 7.0, ("mail-sink",): 0.5, ("postgres",): 1.0, ("kafka",): 1.0}
_STOPPED_WITHIN = 9.5
_RECORDED_AGAIN = 5.0


class Supervisor:
    """One stack's life, in its directory."""

    def __init__(self, directory: Path, settings: Settings, api: socket.socket, console: socket.socket, say: Say) -> None:
        self._directory = directory
        self._api, self._console = (f"http://{reachable(settings.host)}:{each.getsockname()[1]}" for each in (api, console))
        self._settings = settings.model_copy(update={"socket_fd": api.fileno(), "console_fd": console.fileno()})
        self._say = _unfailing(say)
        self._keeper = Keeper(directory / "log", self._say, self._record)
        self._asked = asyncio.Event()
        self._fulfilled: str | None = None

    async def run(self) -> None:
        """Until it is cancelled; raises `CannotRun` when the servers cannot be started."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._asked.set)
        with self._keeper:
            try:
                await self._work()
            finally:
                await self._stop()

    async def _work(self) -> None:
        await self._start_servers()
        for change in await migrate(self._settings, progress=now_and_then(self._say)):
            self._say(change)
        while True:
            self._asked.clear()
            request = wanted.read(self._directory) or wanted.adjusted({}, None)
            await self._match(request)
            await first(self._until_ready(request), self._asked.wait())
            await self._asked.wait()

    async def _start_servers(self) -> None:
        servers = await asyncio.to_thread(own_servers, self._directory)
        self._settings = self._settings.model_copy(update={server.room: _address(server) for server in servers})
        if "PROFUSE_SMTP" not in os.environ:
            servers.append(self._mail_sink())
        self._say(f"Starting {', '.join(server.name for server in servers)}" if servers else "Using the servers that are named")
        for child in [self._keeper.keep(server) for server in servers]:
            if not await readiness.until_ready(child.process.url, child.has_ended):
                raise CannotRun(f"{child.process.name} does not start: {child.last_words()} Its log: {child.log}")

    def _mail_sink(self) -> Process:
        address = f"smtp://{LOOPBACK}:{directories.port(self._directory, 'smtp')}"
        self._settings = self._settings.model_copy(update={"smtp": address})
        return rooms.mail_sink(self._settings, mail_in(self._directory), directories.port(self._directory, "mail-sink"))

    async def _match(self, request: wanted.Wanted) -> None:
        """Stop the surplus in order, then start what is missing."""
        names = dict(request.names())
        running = {child.process.name: child.process.room for child in self._keeper.children}
        for room in wanted.ROOMS:
            await self._keeper.stop([name for name in running if running[name] == room and name not in names], _STOPPED_WITHIN)
        for name, room in names.items():
            if name not in running:
                port = directories.port(self._directory, name)
                self._keeper.keep(rooms.room(name, room, self._settings, port, self._directory if room == "console" else None))

    async def _until_ready(self, request: wanted.Wanted) -> None:
        for process in [child.process for child in self._keeper.children]:
            await readiness.until_ready(process.url)
        self._fulfilled = request.id
        self._record()
        console = f"console: {self._console}, " if request.counts["console"] else ""
        self._say(f"Ready: {self._api} ({console}mail: {mail_in(self._directory)}, logs: {self._directory / 'log'})")

    async def _stop(self) -> None:
        self._say("Stopping everything in order, within 10 s")
        end = time.monotonic() + _STOPPED_WITHIN
        reserved = sum(_STOPPING.values())
        for stage, seconds in _STOPPING.items():
            reserved -= seconds
            names = [child.process.name for child in self._keeper.children if child.process.room in stage]
            await self._keeper.stop(names, end - time.monotonic() - reserved)
        state.forget(self._directory)

    def _record(self) -> None:
        try:
            state.write(self._directory, self._state())
        except OSError as error:
            # Nobody else would write it: the next change may be far away.
            self._say(f"What runs cannot be written down: {error}; it is tried again in {_RECORDED_AGAIN:g} s")
            asyncio.get_running_loop().call_later(_RECORDED_AGAIN, self._record)

    def _state(self) -> state.State:
        return state.State(
            supervisor=identity_of(os.getpid()),
            api=self._api,
            console=self._console if any(child.process.room == "console" for child in self._keeper.children) else None,
            kafka=self._settings.kafka,
            postgres=self._settings.postgres,
            smtp=self._settings.smtp,
            mail=None if "PROFUSE_SMTP" in os.environ else mail_in(self._directory),
            processes=tuple(_running(child) for child in self._keeper.children),
            fulfilled=self._fulfilled,
        )


def own_servers(directory: Path) -> list[Process]:
    """The servers that the environment does not name, prepared to be run."""
    servers = []
    if "PROFUSE_KAFKA" not in os.environ:
        ports = (directories.port(directory, name) for name in ("kafka", "kafka-controller"))
        servers.append(partial(kafka.broker, directory / "kafka", *ports))
    if "PROFUSE_POSTGRES" not in os.environ:
        servers.append(partial(postgres.server, directory / "postgres", directories.port(directory, "postgres")))
    return prepared(*servers)


def _running(child: Child) -> state.RunningProcess:
    process = child.process
    return state.RunningProcess(name=process.name, room=process.room, url=process.url, identity=child.identity)


def mail_in(directory: Path) -> Path:
    return directory / "mail"


def _unfailing(say: Say) -> Say:
    """A log on a full disk, or a terminal that is gone, keeps nobody from being watched."""

    def said(line: str) -> None:
        with suppress(OSError):
            say(line)

    return said


def _address(server: Process) -> str:
    """As the setting of that name spells it."""
    return urlsplit(server.url).netloc if server.room == "kafka" else server.url
