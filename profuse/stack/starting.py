"""`up`: start a stack here, or ask the one that runs to be different."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from profuse.stack import directory as directories
from profuse.stack import leftovers, lock, state, wanted
from profuse.stack.child import Child, Process
from profuse.stack.keeper import Say
from profuse.stack.process_identity import supervised
from profuse.stack.supervisor import Supervisor
from runtime.errors import CannotRun
from schemas.settings import Settings

_PATIENCE = 120.0


async def supervise(directory: Path, counts: wanted.Counts, settings: Settings, say: Say, held: int | None = None) -> None:
    """Run the stack until cancelled, then stop it in order; `held` is the lock's descriptor, if it was passed. Raises `CannotRun`."""
    directories.make(directory)
    with lock.held(directory, held):
        _clear(directory, counts, say)
        with _listening(settings) as api, _console_listening(directory, settings) as console:
            await Supervisor(directory, settings, api, console, say).run()


def detach(directory: Path, counts: wanted.Counts, settings: Settings, say: Say) -> None:
    """Start the stack under a supervisor in the background; returns when all is ready."""
    directories.make(directory)
    given = [option for room, count in counts.items() if count is not None for option in (wanted.option(room), str(count))]
    command = [sys.executable, "-m", "profuse", "up", "--dir", str(directory), "--port", str(settings.port), *given]
    log = directory / "log" / "supervisor.log"
    said = log.stat().st_size if log.exists() else 0
    # From the first moment on, so that nobody deletes the directory until it has begun.
    with lock.held(directory) as held:
        process = Process("supervisor", "supervisor", [*command, "--lock", str(held)], url="", inherited=(held,), detached=True)
        supervisor = Child(process, log)
        lock.pass_on(held, supervisor.identity)

    def is_ready() -> bool:
        nonlocal said
        said = _repeat(log, said, say)
        if supervisor.has_ended():
            raise CannotRun("The stack did not start.")
        running = state.read(directory)
        return running is not None and running.supervisor == supervisor.identity and running.fulfilled is not None

    _wait_until(is_ready, f"The stack is not ready after {_PATIENCE:.0f} s: see `profuse status` and {log}.", lambda: said)
    _repeat(log, said, say)


def change(directory: Path, running: state.State, counts: wanted.Counts, port: int | None) -> None:
    """Ask the supervisor that runs for other counts; returns when they run and are ready."""
    if port and not (running.api or "").endswith(f":{port}"):
        raise CannotRun(f"The stack listens on {running.api}: stop it with `profuse down` before you move it to port {port}.")
    request = wanted.adjusted(counts, wanted.read(directory))
    wanted.write(directory, request)
    os.kill(running.supervisor.pid, signal.SIGUSR1)

    def is_fulfilled() -> bool:
        now = supervised(directory)
        if now is None:
            raise CannotRun("The stack stopped meanwhile: start it with `profuse up`.")
        return now.fulfilled == request.id

    _wait_until(is_fulfilled, f"The stack is not ready after {_PATIENCE:.0f} s: see `profuse status`.")


def _clear(directory: Path, counts: wanted.Counts, say: Say) -> None:
    """Stop what a killed supervisor left running, and keep its counts where none are given."""
    left = state.read(directory)
    wanted.write(directory, wanted.adjusted(counts, wanted.read(directory) if left else None))
    if left:
        for name in leftovers.stop(left):
            say(f"{name} was left running by a supervisor that was killed; it is stopped")
        state.forget(directory)


def _listening(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=1024)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        advice = "free it, or name another port by --port or PROFUSE_PORT (0: any free one)"
        raise CannotRun(f"Cannot listen on {settings.host}:{settings.port} ({reason}): {advice}.") from None


def _console_listening(directory: Path, settings: Settings) -> socket.socket:
    """At its port; where another stack has that and nobody asked for it, at one that this directory remembers."""
    try:
        return socket.create_server((settings.host, settings.console_port))
    except OSError as error:
        if "PROFUSE_CONSOLE_PORT" in os.environ:
            reason = os.strerror(error.errno or 0)
            raise CannotRun(f"The console cannot listen on port {settings.console_port} ({reason}): set PROFUSE_CONSOLE_PORT.") from None
    return socket.create_server((settings.host, directories.port(directory, "console")))


def _wait_until(done: Callable[[], bool], late: str, heard: Callable[[], int] = int) -> None:
    """`heard` is how much has been said: who goes on saying how far it is, such as a migration, is waited for."""
    deadline, before = time.monotonic() + _PATIENCE, heard()
    while not done():
        if heard() > before:
            deadline, before = time.monotonic() + _PATIENCE, heard()
        if time.monotonic() > deadline:
            raise CannotRun(late)
        time.sleep(0.1)


def _repeat(log: Path, after: int, say: Say) -> int:
    """Say the complete lines that were added to a log, unless it was deleted with its stack; returns where they end."""
    try:
        with log.open("rb") as file:
            file.seek(after)
            complete, newline, _ = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return after
    for line in complete.decode(errors="replace").splitlines():
        say(line)
    return after + len(complete) + len(newline)
