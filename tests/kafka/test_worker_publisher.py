"""What workers publish with, when the broker does not confirm."""

import asyncio
from collections.abc import Sequence

import pytest

from runtime import producer
from runtime.kafka import BrokerUnavailable
from schemas.messages import ProfileImport
from tests.kafka.conftest import Bench, announced, until


@pytest.mark.promise("P-OPS-15")
async def test_a_worker_does_not_stand_still_until_the_broker_confirms(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer, "CONFIRMING", 0.0)
    with pytest.raises(BrokerUnavailable):
        await bench.feed(["1"])
    monkeypatch.undo()
    await bench.feed(["1"])

    async with bench.running():
        await bench.until_processed(1)


@pytest.mark.promise("P-OPS-15")
async def test_what_is_committed_is_published_though_nobody_can_be_told_yet(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = asyncio.Event()

    async def hang(_messages: Sequence[ProfileImport]) -> None:
        await answered.wait()

    monkeypatch.setattr(bench.ledger, "committed", hang)
    await bench.feed(["1"])
    async with bench.running():
        await until(lambda: is_announced(bench))
        answered.set()


async def is_announced(bench: Bench) -> bool:
    return bool(await announced(bench.settings))
