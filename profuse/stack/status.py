"""`status`: what runs, whether it answers, and which providers take nothing."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from profuse.postgres import transaction
from profuse.providers import listed
from profuse.stack import state
from profuse.stack.finding import settings_of
from profuse.stack.process_identity import process_of, supervised
from profuse.stack.readiness import is_ready
from runtime.errors import CannotRun

_NOTHING: dict[str, Any] = {"api": None, "console": None, "kafka": None, "postgres": None, "mail": None, "processes": []}
# Seconds; whoever asks for the status of a stack asks because of a server that is silent.
_TOLD_WITHIN = 3.0


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
    return {**running.model_dump(mode="json", include={"api", "console", "kafka", "postgres", "mail"}), "processes": processes}


async def troubled_providers(directory: Path, reported: dict[str, Any]) -> Sequence[dict[str, Any]] | None:
    """Those that launchers had trouble with and have not got through to since: why, and when they are tried next; None: nobody knows."""
    if not reported["processes"]:
        return []
    try:
        async with asyncio.timeout(_TOLD_WITHIN), transaction(settings_of(directory)) as connection:
            found = await listed(connection)
    except (CannotRun, TimeoutError):
        return None
    return [provider for provider in found if provider["why"] and provider["state"] != "inactive"]


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
