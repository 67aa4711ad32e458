"""Many groups' events in few requests: whoever waits for the broker takes along what came meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from runtime.kafka import BrokerUnavailable
from schemas.topics import Outgoing

Publish = Callable[[Sequence[Outgoing]], Awaitable[None]]


class CoalescingPublisher:
    """Makes one call of `publish` out of all that wait for their turn; groups of one would else be told one by one."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._turn = asyncio.Lock()
        # Each with what became of it: None, or why the broker does not have it.
        self._waiting: list[tuple[Sequence[Outgoing], asyncio.Future[BrokerUnavailable | None]]] = []

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Returns when the broker has confirmed the records; raises `BrokerUnavailable`."""
        if not records:
            return
        mine: asyncio.Future[BrokerUnavailable | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, mine))
        async with self._turn:
            if not mine.done():
                await self._send()
        if (error := mine.result()) is not None:
            raise error

    async def _send(self) -> None:
        # Not taken off before the answer: if we are cancelled, the next one sends them.
        sent = list(self._waiting)
        answer: BrokerUnavailable | None = None
        try:
            await self._publish([record for records, _ in sent for record in records])
        except BrokerUnavailable as error:
            answer = error
        del self._waiting[: len(sent)]
        for _, told in sent:
            told.set_result(answer)
