"""What workers publish with, when the broker does not confirm."""

import pytest

from runtime import producer
from runtime.kafka import BrokerUnavailable
from tests.kafka.conftest import Bench


@pytest.mark.promise("P-OPS-15")
async def test_a_worker_does_not_stand_still_until_the_broker_confirms(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer, "CONFIRMING", 0.0)
    with pytest.raises(BrokerUnavailable):
        await bench.feed(["1"])
    monkeypatch.undo()
    await bench.feed(["1"])

    async with bench.running():
        await bench.until_processed(1)
