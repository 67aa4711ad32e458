"""The demo from its first line to Ctrl-C."""

import asyncio
from pathlib import Path

from rich.console import Console

from profuse.applying import apply
from profuse.demo.posting import EXAMPLES, post
from profuse.demo.watching import events_from_now, show_launches, show_pending
from profuse.stack import state
from profuse.stack.finding import settings_of
from profuse.stack.process_identity import supervised
from runtime.racing import first


async def tell(directory: Path, console: Console) -> None:
    """Wait for the stack, then post the examples and show what comes of them, until cancelled."""
    running = await _ready(directory)
    settings = settings_of(directory)
    console.print("\n$ profuse apply examples/demo.toml", style="bold")
    for line in await apply(settings, (EXAMPLES / "demo.toml").read_text()) or ["nothing to change"]:
        console.print(line, markup=False)
    turn = asyncio.Lock()
    async with events_from_now(settings) as consumer:
        with console.status("") as status:
            await first(
                show_launches(consumer, settings, running.mail, console, turn),
                show_pending(settings, status, console),
                _post_all(running.api or "", console, turn),
            )


async def _post_all(api: str, console: Console, turn: asyncio.Lock) -> None:
    await post(api, "batch.json", console, turn)
    await post(api, "batch-in-a-minute.json", console, turn)
    # There is nothing left to do but to watch.
    await asyncio.Event().wait()


async def _ready(directory: Path) -> state.State:
    while (running := supervised(directory)) is None or running.fulfilled is None:  # noqa: ASYNC110  # a file cannot be awaited
        await asyncio.sleep(0.1)
    return running
