"""What becomes of a producer that the broker does not answer."""

import asyncio

import psutil
import pytest
from aiokafka.producer.sender import SendProduceReqHandler

from runtime import producer
from runtime.kafka import BrokerUnavailable
from runtime.producer import Publisher, open_publisher
from schemas.settings import Settings
from schemas.topics import MATCHES, Outgoing


def connections() -> int:
    return len(psutil.Process().net_connections())


async def refused(publisher: Publisher, topic: str) -> None:
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([Outgoing(topic, b"key", b"{}")])


@pytest.mark.promise("P-OPS-17")
async def test_a_producer_that_waits_in_vain_leaves_nothing_behind(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(producer, "CONFIRMING", 0.5)
    sent = SendProduceReqHandler.do

    async def too_few_in_sync(handler: SendProduceReqHandler, _node: int) -> None:
        # What the client does with NOT_ENOUGH_REPLICAS, which one broker cannot be made to say: it tries again without an end.
        await asyncio.sleep(handler._default_backoff)
        for batch in handler._batches.values():
            handler._sender._message_accumulator.reenqueue(batch)

    async with open_publisher(migrated) as publisher:
        topic = migrated.topic(MATCHES.name)
        await publisher.publish([Outgoing(topic, b"key", b"{}")])
        monkeypatch.setattr(SendProduceReqHandler, "do", too_few_in_sync)
        await refused(publisher, topic)
        tasks, sockets = len(asyncio.all_tasks()), connections()
        await refused(publisher, topic)
        await refused(publisher, topic)
        after = len(asyncio.all_tasks()), connections()
        monkeypatch.setattr(SendProduceReqHandler, "do", sent)
        await publisher.publish([Outgoing(topic, b"key", b"{}")])

    assert after == (tasks, sockets)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
