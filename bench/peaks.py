"""The most memory that a stack's processes held, as the kernel counts it."""

from pathlib import Path

from bench.stack import Stack
from profuse.stack import state
from schemas.settings import KIB, MIB

LIMIT = 600
"""MiB that no process may hold."""


def processes(stack: Stack, *rooms: str) -> list[Path]:
    """Where the kernel tells of the rooms' processes."""
    running = state.read(stack.directory)
    return [Path("/proc", str(each.identity.pid)) for each in running.processes if each.name.startswith(rooms)] if running else []


def forget_peak(process: Path) -> None:
    """From here on the kernel counts it anew."""
    (process / "clear_refs").write_text("5")


def most_of(process: Path) -> int:
    """MiB that it held at most since it was born, or since that was forgotten."""
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * KIB // MIB
