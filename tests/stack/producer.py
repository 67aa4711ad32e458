"""A producer of the stack, and what can be seen of its profiles."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
import httpx2
import psutil

from profuse.plain_http import NO_CERTIFICATES
from profuse.stack import state
from profuse.stack.state import State
from tests.stack.door import Door, wait_until

TOKEN = "abcdefghijklmnqrstuvwxyz"
BATCH = "campaigns/triggers/import_and_start_batch"
# Seconds from an answer to the next request: without them rooms take as long to start as the machine is busy, and more is waited for later.
APART = 0.05
_IMPORTED = "SELECT count(*) FROM profiles WHERE data->>'email' LIKE $1 || '%@stack.test'"
_LAUNCHED = """
SELECT coalesce(sum(launched + skipped + failed), 0) FROM launches JOIN requests USING (batch) WHERE request_id LIKE $1 || '%'
"""


def running(stack: Door) -> State:
    found = state.read(stack.directory)
    assert found is not None
    return found


def process_of(stack: Door, name: str) -> psutil.Process:
    return psutil.Process(next(each.identity.pid for each in running(stack).processes if each.name == name))


def post(stack: Door, name: str, patience: float = 20) -> httpx2.Response:
    """One profile; the name is its address and the Request-ID."""
    with httpx2.Client(verify=NO_CERTIFICATES) as client:
        return post_through(client, stack, name, patience)


def post_through(client: httpx2.Client, stack: Door, name: str, patience: float) -> httpx2.Response:
    body = {"token": TOKEN, "trigger_id": 8, "data": [{"data": {"email": f"{name}@stack.test"}}]}
    return client.post(f"{running(stack).api}/api/v1.1/{BATCH}", json=body, headers={"Request-ID": name}, timeout=patience)


def value(stack: Door, sql: str, *arguments: object) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(running(stack).postgres, server_settings={"search_path": "profuse"})
        try:
            return await connection.fetchval(sql, *arguments)
        finally:
            await connection.close()

    return asyncio.run(ask())


def come_to_their_end(stack: Door, prefix: str, names: Sequence[str], answered: Collection[str] = ()) -> None:
    """Repeated as their producer would, unless they were answered, each has one result and one launch."""
    for name in (each for each in names if each not in answered):
        wait_until(lambda name=name: post(stack, name).status_code == 200, seconds=60)  # type: ignore[misc]
    wait_until(lambda: value(stack, _LAUNCHED, prefix) >= len(names), seconds=60)

    assert value(stack, _IMPORTED, prefix) == len(names)
    assert value(stack, _LAUNCHED, prefix) == len(names)
