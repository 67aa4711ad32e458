"""Posts examples and shows them as commands to copy."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
from rich.console import Console

from profuse.plain_http import plain_client
from runtime.errors import CannotRun

EXAMPLES = Path(__file__).parents[2] / "examples"
# Of examples/demo.toml.
TOKEN = "abcdefghijklmnqrstuvwxyz"  # noqa: S105  # of a demo

_PREFIX = "/api/v1.1/"
_BATCH = "campaigns/triggers/import_and_start_batch"


async def post(api: str, example: str, console: Console, turn: asyncio.Lock, path: str = _BATCH) -> dict[str, Any]:
    """An example's file; returns its answer."""
    content = (EXAMPLES / example).read_bytes()
    return await _post(f"{api}{_PREFIX}{path}", content, f"@examples/{example}", console, turn)


async def call(api: str, path: str, body: dict[str, Any], console: Console, turn: asyncio.Lock) -> dict[str, Any]:
    """A small request, as it is written; returns its answer."""
    written = json.dumps(body)
    return await _post(f"{api}{_PREFIX}{path}", written.encode(), f"'{written}'", console, turn)


async def _post(url: str, content: bytes, shown: str, console: Console, turn: asyncio.Lock) -> dict[str, Any]:
    # Nothing else is shown between the request and its answer.
    async with turn:
        console.print(f"\n$ curl {url} --data {shown}", style="bold", soft_wrap=True, markup=False)
        try:
            async with plain_client(timeout=60) as client:
                answer = await client.post(url, content=content)
        except httpx2.HTTPError as error:
            raise CannotRun(f"{url} does not answer ({error!r}): see `profuse status`.") from None
        console.print(answer.text, markup=False, soft_wrap=True)
    if answer.is_error:
        raise CannotRun(f"The example was refused with {answer.status_code}: `profuse down --wipe` starts over.")
    told: dict[str, Any] = answer.json()
    return told
