"""What the last commit had to say: published beside the reading of what comes next."""

import asyncio
from collections.abc import Sequence

from runtime.crash_points import crash_point
from runtime.producer import Publisher
from schemas.topics import Outgoing


class Outbox:
    """Until the broker has confirmed it, it stands in the row that the next commit overwrites: whoever commits waits for it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._publishing: asyncio.Task[None] | None = None

    def publish(self, records: Sequence[Outgoing]) -> None:
        """Once what was published before is confirmed."""
        self._publishing = asyncio.create_task(self._published(records))

    async def confirmed(self) -> None:
        """Raises `BrokerUnavailable`, once: then whoever takes the partition over publishes it again."""
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            await publishing

    async def aclose(self) -> None:
        """Give up what is not confirmed yet; the row has it."""
        if self._publishing is not None:
            self._publishing.cancel()
            await asyncio.wait({self._publishing})

    async def _published(self, records: Sequence[Outgoing]) -> None:
        await self._publisher.publish(records)
        crash_point("stream:published")
