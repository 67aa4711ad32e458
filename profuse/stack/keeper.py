"""Keeps processes running: a dead one is started again, and said so."""

import asyncio
import shutil
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from profuse.stack.child import Child, Process
from profuse.stack.wellness import unwell
from runtime.racing import first

Say = Callable[[str], None]

_LONGEST_PAUSE = 10.0
# Whoever ran this long did not fail at its start.
_SETTLED = 30.0
# Less than a server takes at a time: a segment of Postgres' log.
_ROOM = 16 * 1024 * 1024


def pause(failures: int) -> float:
    """Seconds before a process that failed so often in a row is started again."""
    return float(min(_LONGEST_PAUSE, 0.25 * 2**failures))


class Keeper:
    """The processes of one stack, by name; `changed` is called whenever one was started or is gone."""

    def __init__(self, logs: Path, say: Say, changed: Callable[[], None]) -> None:
        self._logs = logs
        self._say = say
        self._changed = changed
        self._children: dict[str, Child] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[int, asyncio.Event] = {}

    def __enter__(self) -> "Keeper":
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    @property
    def children(self) -> list[Child]:
        return list(self._children.values())

    def keep(self, process: Process) -> Child:
        """Start it, and start it again whenever it ends."""
        child = self._start(process)
        self._tasks[process.name] = asyncio.create_task(self._restart(child), name=process.name)
        return child

    async def stop(self, names: Iterable[str], seconds: float) -> None:
        """Stop some together; whoever takes longer than `seconds` is killed."""
        children = [self._children[name] for name in names]
        for child in children:
            self._tasks.pop(child.process.name).cancel()
            child.ask_to_stop()
        deadline = time.monotonic() + seconds
        for child in children:
            await self._ended(child, deadline - time.monotonic())
            child.wait(seconds=0)
            del self._children[child.process.name]
        self._changed()

    def _start(self, process: Process) -> Child:
        child = Child(process, self._logs / f"{process.name}.log")
        self._children[process.name] = child
        self._ends[child.pid] = asyncio.Event()
        # It may have ended before anybody looked.
        self._reap()
        self._changed()
        return child

    async def _restart(self, child: Child) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            if problems := await first(self._end_of(child), unwell(child.process.url)):
                # A loop that does not turn hears no other signal.
                self._say(f"{child.process.name} has not been well for a minute and is killed: {problems}")
                child.kill()
                await self._end_of(child)
            del self._ends[child.pid]
            failures = 0 if time.monotonic() - started > _SETTLED else failures + 1
            self._say(f"{child.process.name} {_end(child)}; it is started again in {pause(failures):g} s. {self._advice(child)}")
            await asyncio.sleep(pause(failures))
            child = await self._start_again(child.process)

    async def _start_again(self, process: Process) -> Child:
        failures = 0
        while True:
            try:
                return self._start(process)
            except OSError as error:
                # Of a machine that is full: of processes, of files, of memory.
                failures += 1
                self._say(f"{process.name} cannot be started: {error}; it is tried again in {pause(failures):g} s")
                await asyncio.sleep(pause(failures))

    async def _end_of(self, child: Child) -> str:
        await self._ends[child.pid].wait()
        return ""

    def _advice(self, child: Child) -> str:
        # A server's own directory, which may have a disk of its own.
        data = self._logs.parent / child.process.name
        full = data.exists() and shutil.disk_usage(data).free < _ROOM
        return f"The disk of {data} is full: make room." if full else f"Its log: {child.log}"

    async def _ended(self, child: Child, seconds: float) -> None:
        if child.has_ended():
            return
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._ends[child.pid].wait()
        except TimeoutError:
            self._say(f"{child.process.name} did not stop in time and is killed")

    def _reap(self) -> None:
        for child in self._children.values():
            if child.has_ended() and child.pid in self._ends:
                self._ends[child.pid].set()


def _end(child: Child) -> str:
    code = child.exit_code() or 0
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}: {child.last_words()}"
