"""One process of a room, as an operator has it: a command, signals, a health port and a log."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import psutil

from profuse.plain_http import NO_CERTIFICATES
from profuse.stack.ports import free_port
from tests.pipeline.waiting import eventually

PROFUSE = Path(sys.executable).with_name("profuse")


def run(arguments: list[str], environment: Mapping[str, str]) -> str:
    """A command that ends by itself; what it printed."""
    done = subprocess.run([PROFUSE, *arguments], env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, f"profuse {arguments}: {done.stdout}{done.stderr}"
    return done.stdout


class Process:
    """A room's process that can be killed, frozen and started again."""

    def __init__(self, room: str, name: str, environment: Mapping[str, str], log: Path) -> None:
        self.room, self.name, self.log = room, name, log
        self.port, self.health_port = free_port(), free_port()
        self._environment = os.environ | environment | {"PROFUSE_PORT": str(self.port), "PROFUSE_HEALTH_PORT": str(self.health_port)}
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                [PROFUSE, self.room], env=self._environment | environment, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def runs(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def ready(self) -> bool:
        assert self.runs, f"{self.name} ended: {self.last_words()}"
        try:
            return httpx2.get(f"http://127.0.0.1:{self.health_port}/readyz", verify=NO_CERTIFICATES, timeout=5).is_success
        except httpx2.TransportError:
            return False

    def wait_ready(self) -> None:
        eventually(self.ready, seconds=30, what=lambda: f"{self.name} is ready; it says: {self.last_words()}")

    def kill9(self) -> None:
        self._signal(signal.SIGKILL)
        self.wait(5)

    def is_frozen(self) -> bool:
        assert self._popen is not None
        return psutil.Process(self._popen.pid).status() == psutil.STATUS_STOPPED

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def local_ports(self) -> list[int]:
        """The ports that its connections start from."""
        assert self._popen is not None
        return [connection.laddr.port for connection in psutil.Process(self._popen.pid).net_connections("tcp")]

    def ask_to_stop(self) -> None:
        if self.runs:
            self._signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int | None:
        """Its exit code; it is killed when the time is over."""
        if self._popen is None:
            return None
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            return self._popen.wait()

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def _signal(self, number: signal.Signals) -> None:
        assert self._popen is not None
        self._popen.send_signal(number)
