"""`status`: what runs, and whether it answers."""

import asyncio
from pathlib import Path
from typing import Any

from profuse.stack import state
from profuse.stack.process_identity import process_of, supervised
from profuse.stack.readiness import is_ready

_NOTHING: dict[str, Any] = {"api": None, "kafka": None, "postgres": None, "mail": None, "processes": []}


async def report(directory: Path) -> dict[str, Any]:
    """The JSON of `profuse status`."""
    running = state.read(directory)
    if running is None or not _anything_lives(running):
        return _NOTHING
    ready = await asyncio.gather(*(_is_ready(process) for process in running.processes))
    processes = [
        {"name": process.name, "room": process.room, "pid": process.identity.pid, "ready": answers, "url": process.url}
        for process, answers in zip(running.processes, ready, strict=True)
    ]
    return {**running.model_dump(mode="json", include={"api", "kafka", "postgres", "mail"}), "processes": processes}


def is_all_ready(directory: Path, reported: dict[str, Any]) -> bool:
    """A stack that nobody supervises is not ready: nothing of it would be started again."""
    processes = reported["processes"]
    return is_supervised(directory) and bool(processes) and all(process["ready"] for process in processes)


def is_supervised(directory: Path) -> bool:
    return supervised(directory) is not None


def _anything_lives(running: state.State) -> bool:
    return any(process_of(one) for one in (running.supervisor, *(process.identity for process in running.processes)))


async def _is_ready(process: state.RunningProcess) -> bool:
    return process_of(process.identity) is not None and await is_ready(process.url)
