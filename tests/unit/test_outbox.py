"""What a commit had to say, on its way to the broker."""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest

from runtime.kafka import BrokerUnavailable
from runtime.producer import Publisher
from schemas.settings import Settings
from schemas.topics import Outgoing
from workers.exactly_once.outbox import Outbox

pytestmark = pytest.mark.promise("P-OPS-07")


class Away(Publisher):
    """Always says that the broker is away."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        raise BrokerUnavailable("away")


async def test_who_asks_is_told_once_that_the_broker_is_away() -> None:
    outbox = Outbox(Away(Settings()))
    outbox.publish([])
    with pytest.raises(BrokerUnavailable):
        await outbox.confirmed()

    assert await outbox.confirmed() is None  # type: ignore[func-returns-value]


async def test_what_fails_when_nobody_asks_any_more_leaves_no_traceback_in_the_log() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    outbox = Outbox(Away(Settings()))
    outbox.publish([])
    await asyncio.sleep(0)
    await outbox.aclose()
    del outbox
    gc.collect()

    assert told == []
