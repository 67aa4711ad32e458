"""A worker that did few messages at once rests, so that the next chunk has more of them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from schemas.messages import ProfileImport
from schemas.topics import partition
from tests.kafka.conftest import BATCH, Bench, Ledger
from workers.exactly_once import Unprocessable
from workers.exactly_once.gathering import LONGEST, ONE_BY_ONE

FEW = ONE_BY_ONE + 1


@dataclass
class Lasting(Ledger):
    """Takes as long for a chunk as anybody would rest after it, and notes when it began with one, and when it was done."""

    began: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    committing: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self, messages: Sequence[ProfileImport]) -> AsyncGenerator[ProfileImport | Unprocessable, None]:
        self.began.append(time.monotonic())
        await asyncio.sleep(LONGEST)
        async for each in super().prepare(messages):
            yield each

    async def committed(self, messages: Sequence[ProfileImport]) -> None:
        self.done.append(time.monotonic())
        self.committing.set()


@pytest.mark.promise("P-OPS-50")
async def test_who_comes_after_few_waits_for_others(bench: Bench) -> None:
    ledger = Lasting(bench.settings)
    # Of one partition, so that they are read together.
    items = [item for item in range(99) if partition(b"%d" % item, bench.settings.partitions) == 0]
    *first, last = [ProfileImport(batch=BATCH.hex(), item=item, value="1", data={}) for item in items[: FEW + 1]]
    await bench.send(first)
    async with replace(bench, ledger=ledger).running():
        await ledger.committing.wait()
        await bench.send([last])
        await bench.until_processed(FEW + 1)

    assert ledger.sizes == [FEW, 1]
    assert ledger.began[1] - ledger.done[0] >= LONGEST
