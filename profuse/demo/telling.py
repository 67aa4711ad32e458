"""The demo from its first line to Ctrl-C."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path

from rich.console import Console

from profuse import console_tokens
from profuse.applying import apply
from profuse.console.access.rights import Rights
from profuse.demo.posting import EXAMPLES, TOKEN, call, post
from profuse.demo.receiver import PORT, receiving
from profuse.demo.watching import events_from_now, show_launches, show_pending
from profuse.stack import state
from profuse.stack.finding import settings_of
from profuse.stack.process_identity import supervised
from runtime.racing import first
from schemas.settings import Settings

# Its answer names the batch.
_LATER = "campaigns/triggers/import_and_start_batch_task"
_LOGGED_IN_FOR = timedelta(hours=12)


async def tell(directory: Path, console: Console) -> None:
    """Wait for the stack, then post the examples and show what comes of them, until cancelled."""
    running = await _ready(directory)
    settings = settings_of(directory)
    turn = asyncio.Lock()
    tell = partial(_received, console)
    async with receiving(tell) as port, events_from_now(settings) as consumer:
        for name in ("demo.toml", "channels.toml"):
            await _apply(settings, name, port, console)
        if running.console:
            await _show_console(settings, running.console, console)
        with console.status("") as status:
            await first(
                show_launches(consumer, settings, running.mail, console, turn),
                show_pending(settings, status, console),
                _post_all(running.api or "", console, turn),
            )


async def _apply(settings: Settings, name: str, port: int, console: Console) -> None:
    console.print(f"\n$ profuse apply examples/{name}", style="bold")
    text = (EXAMPLES / name).read_text().replace(f"127.0.0.1:{PORT}/", f"127.0.0.1:{port}/")
    for line in await apply(settings, text) or ["nothing to change"]:
        console.print(line, markup=False)


async def _show_console(settings: Settings, address: str, console: Console) -> None:
    # Another one at each start: nobody can know it from here.
    token = await console_tokens.add(settings, "demo", Rights.OPERATE, _LOGGED_IN_FOR, replacing=True)
    console.print(f"\nThe console: {address} (log in with {token})", style="bold", markup=False, soft_wrap=True)


def _received(console: Console, line: str) -> None:
    console.print(f"the receiver of the demo  {line}", style="green", markup=False, soft_wrap=True)


async def _post_all(api: str, console: Console, turn: asyncio.Lock) -> None:
    for example in ("batch.json", "text.json", "push.json", "webhook.json", "letter.json", "batch-in-a-minute.json"):
        await post(api, example, console, turn)
    task = (await post(api, "later.json", console, turn, _LATER))["data"]["task_id"]
    await call(api, "campaigns/triggers/cancel", {"token": TOKEN, "task_id": task}, console, turn)
    # There is nothing left to do but to watch.
    await asyncio.Event().wait()


async def _ready(directory: Path) -> state.State:
    while (running := supervised(directory)) is None or running.fulfilled is None:  # noqa: ASYNC110  # a file cannot be awaited
        await asyncio.sleep(0.1)
    return running
