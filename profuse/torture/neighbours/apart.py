"""A neighbour in a process of its own: it sends until its standard input ends, and then says what it saw."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

Run = Callable[[str, Random, asyncio.Event], Awaitable[Any]]


@dataclass
class Neighbour:
    """`told` is what it saw, once it has been told to stop."""

    process: asyncio.subprocess.Process
    told: dict[str, Any] = field(default_factory=dict)

    async def stop(self) -> None:
        # Without any input, its own would stay open.
        output, _ = await self.process.communicate(b"")
        self.told = json.loads(output)


@asynccontextmanager
async def neighbour(name: str, *arguments: str) -> AsyncIterator[Neighbour]:
    """Its module's name; it ends with the block."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", f"profuse.torture.neighbours.{name}", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        yield Neighbour(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def send_apart(run: Run) -> None:
    """What such a process does: its arguments are the API's address and a seed."""
    api, seed = sys.argv[1:3]
    print(json.dumps(asyncio.run(_until_told(run, api, Random(seed)))))  # noqa: S311  # repeatable; it is read by whoever started us


async def _until_told(run: Run, api: str, dice: Random) -> Any:
    stop = asyncio.Event()
    running = asyncio.ensure_future(run(api, dice, stop))
    await asyncio.to_thread(sys.stdin.buffer.read)
    stop.set()
    return await running
