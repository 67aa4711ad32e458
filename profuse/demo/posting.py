"""Posts an example and shows it as a command to copy."""

import asyncio
from pathlib import Path

import httpx
from rich.console import Console

from runtime.errors import CannotRun

EXAMPLES = Path(__file__).parents[2] / "examples"

_PATH = "/api/v1.1/campaigns/triggers/import_and_start_batch"


async def post(api: str, example: str, console: Console, turn: asyncio.Lock) -> None:
    """Nothing else is shown between the request and its answer."""
    file = EXAMPLES / example
    async with turn:
        console.print(f"\n$ curl {api}{_PATH} --data @examples/{example}", style="bold", soft_wrap=True)
        try:
            async with httpx.AsyncClient(timeout=60) as client:
                answer = await client.post(f"{api}{_PATH}", content=file.read_bytes())
        except httpx.HTTPError as error:
            raise CannotRun(f"{api} does not answer ({error!r}): see `profuse status`.") from None
        console.print(answer.text, markup=False, soft_wrap=True)
    if answer.is_error:
        raise CannotRun(f"The example was refused with {answer.status_code}: `profuse down --wipe` starts over.")
