"""A disk of its own for a server, small enough to be filled."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MIB = 1024 * 1024


class Disk:
    """A file takes what is free, and gives it back."""

    def __init__(self, at: Path) -> None:
        self._ballast = at / "ballast"

    @contextmanager
    def full(self) -> Iterator[None]:
        ballast = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            # Until not a byte is left.
            with suppress(OSError):
                while os.write(ballast, bytes(MIB)):
                    pass
            yield
        finally:
            os.close(ballast)
            self._ballast.unlink()


@contextmanager
def mounted(at: Path, mebibytes: int) -> Iterator[Disk]:
    """Skips the test where nothing may be mounted."""
    at.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "tmpfs", str(at)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        refused = done.stderr.strip()
    except OSError as error:
        refused = str(error)
    if not os.path.ismount(at):
        pytest.skip(f"no small disk can be mounted here, root on Linux may: {refused}")
    try:
        yield Disk(at)
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)  # noqa: S607 (wherever the system has it)
