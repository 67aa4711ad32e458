"""A child process of ours: started in a process group of its own, logging to its own file, stopped in bounded time."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from profuse.stack.process_identity import identity_of

# Bytes; a log may be large, and whoever asks watches over others.
_LAST = 64 * 1024


@dataclass(frozen=True)
class Process:
    """What is run and where it answers; `url` says how it is checked (see `readiness`)."""

    name: str
    room: str
    command: Sequence[str]
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    # A system user to run as; None is whoever we are.
    user: int | None = None
    inherited: Sequence[int] = ()
    # Where it is started; None is where we are.
    directory: Path | None = None
    # It outlives the terminal.
    detached: bool = False


class Child:
    """A running `Process`."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                process.command,
                env=os.environ | process.environment,
                cwd=process.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                user=process.user,
                extra_groups=None if process.user is None else [],
                pass_fds=process.inherited,
                # Ctrl-C reaches a whole group; only the supervisor may answer it, in its order. A session for each process would
                # be more than it needs: Linux shares the machine among sessions, and Postgres' many would get what a launcher gets.
                process_group=None if process.detached else 0,
                start_new_session=process.detached,
            )
        # Taken before anybody can have waited for its end.
        self.identity = identity_of(self._popen.pid)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._popen.poll()

    def has_ended(self) -> bool:
        return self.exit_code() is not None

    def ask_to_stop(self) -> None:
        if not self.has_ended():
            self._popen.send_signal(self.process.stop_signal)

    def wait(self, seconds: float) -> None:
        """Wait for its end; kill it when the time is over."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()

    def last_words(self) -> str:
        """The last line of its log that says something: why it ended, if it said so."""
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LAST))
            lines = [bare(line) for line in log.read().decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    def kill(self) -> None:
        if not self.has_ended():
            self._popen.kill()


def bare(line: str) -> str:
    """Without the frame that Python draws around the exceptions of a group."""
    return line.lstrip(" |+-").rstrip() if line.startswith((" ", "|", "+")) else line.rstrip()
