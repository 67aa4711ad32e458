"""The receiver as torture has it: it is told its moods, and notes what it gets in a folder."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from profuse.torture.receiving.outlets import Mood


@dataclass(frozen=True)
class Receiver:
    """It listens at `url`."""

    url: str
    process: asyncio.subprocess.Process

    def be(self, mood: Mood) -> None:
        """From now on."""
        if self.process.stdin is not None:
            self.process.stdin.write(f"{mood}\n".encode())

    async def stop(self) -> None:
        """All that it got is noted."""
        # Without any input, its own would stay open.
        await self.process.communicate(b"")


@asynccontextmanager
async def receiving(folder: Path, seed: str) -> AsyncIterator[Receiver]:
    """It ends with the block."""
    await asyncio.to_thread(folder.mkdir)
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "profuse.torture.receiving.taking", str(folder), seed)
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None  # noqa: S101  # it was asked for
        yield Receiver((await process.stdout.readline()).decode().strip(), process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
