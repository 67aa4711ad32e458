"""Processes that are neither gone nor answering: stopped, and let go again; and a client of theirs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg
import httpx
import psutil

from profuse.stack import state
from profuse.stack.state import State
from tests.stack.door import Door

TOKEN = "abcdefghijklmnqrstuvwxyz"
BATCH = "campaigns/triggers/import_and_start_batch"


def running(stack: Door) -> State:
    found = state.read(stack.directory)
    assert found is not None
    return found


def process_of(stack: Door, name: str) -> psutil.Process:
    return psutil.Process(next(each.identity.pid for each in running(stack).processes if each.name == name))


@contextmanager
def frozen(stack: Door, name: str) -> Iterator[None]:
    """A process with all that it has started; itself first, or it would start others meanwhile."""
    first = process_of(stack, name)
    first.suspend()
    stopped = [first, *first.children(recursive=True)]
    try:
        for process in stopped:
            # A backend may have ended meanwhile.
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def problems(stack: Door) -> dict[str, list[str]]:
    """What each room says of itself, asked as an orchestrator asks: not for long."""
    rooms = {each.room: each.url for each in running(stack).processes if each.room in ("gateway", "matcher", "launcher")}
    return {room: httpx.get(f"{url}/readyz", timeout=8).json()["problems"] for room, url in rooms.items()}


def post(stack: Door, name: str, patience: float = 20) -> httpx.Response:
    """One profile; the name is its address and the Request-ID."""
    body = {"token": TOKEN, "trigger_id": 8, "data": [{"data": {"email": f"{name}@freeze.test"}}]}
    return httpx.post(f"{running(stack).api}/api/v1.1/{BATCH}", json=body, headers={"Request-ID": name}, timeout=patience)


def value(stack: Door, sql: str, *arguments: object) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(running(stack).postgres, server_settings={"search_path": "profuse"})
        try:
            return await connection.fetchval(sql, *arguments)
        finally:
            await connection.close()

    return asyncio.run(ask())
