"""Programs of the bench that run beside it, each in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.client import CannotMeasure
from profuse.stack.ports import LOOPBACK, free_port

_PATIENCE = 30.0
_LOOK = 0.05


@contextmanager
def listening(command: Sequence[str], port: int, *, quiet: bool = False) -> Iterator[None]:
    """Any program, once it listens on the port."""
    with ended(command, quiet=quiet) as process:
        end = time.monotonic() + _PATIENCE
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise CannotMeasure(f"{command[0]} does not listen")
            time.sleep(_LOOK)
        yield


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[str]:
    """`python -m module PORT arguments`, once it listens there; its URL."""
    port = free_port()
    with listening([sys.executable, "-m", module, str(port), *arguments], port):
        yield f"http://{LOOPBACK}:{port}/"


@contextmanager
def ended(command: Sequence[str], *, quiet: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Any program, until the block is over."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL if quiet else None)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
