"""The lives of the broker's clients: how they are made, started and stopped."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from runtime.wakeup import Wakeup
from schemas.settings import Settings

C = TypeVar("C", bound=AIOKafkaConsumer | AIOKafkaAdminClient)

STOPPING = 2.0
_CUT_OFF_WITHIN = 0.5
# Beyond the wait for a record: while the broker gives partitions away its client waits for the end of that, even if there is none.
REBALANCE_WAIT = 5.0
# So soon it is seen that a topic was made anew, or has other partitions.
CHANGES_SEEN_AFTER = 10.0


class BrokerUnavailable(Exception):
    """The broker did not confirm what was sent; it may or may not have it."""


AWAY = (BrokerUnavailable, KafkaError)
"""What is raised when the broker is away, or not as this version expects it."""


def new_consumer(settings: Settings, group: str | None, fetched: int = 4 * 1024 * 1024) -> AIOKafkaConsumer:
    """A consumer that never decides by itself where to read: positions are in Postgres.

    `fetched` are the bytes of each partition that it may hold before they are asked for; one without a group is told what to read.
    """
    session = int(settings.session_timeout.total_seconds() * 1000)
    return AIOKafkaConsumer(
        **settings.kafka_options(),
        group_id=None if group is None else settings.topic(group),
        enable_auto_commit=False,
        # "earliest" would rewind silently when an offset is out of range.
        auto_offset_reset="none",
        session_timeout_ms=session,
        heartbeat_interval_ms=1_000,
        rebalance_timeout_ms=30_000,
        metadata_max_age_ms=int(CHANGES_SEEN_AFTER * 1000),
        max_partition_fetch_bytes=fetched,
        fetch_max_wait_ms=250,
    )


async def read(consumer: Any, wait: float, most: int, wakeup: Wakeup, of: Sequence[Any] = ()) -> Mapping[Any, Sequence[Any]]:
    """What comes within so many seconds, of these partitions or of any; nothing when it rings. Raises what the broker raises."""
    try:
        async with asyncio.timeout(wait + REBALANCE_WAIT) as bound:
            with wakeup.ends(bound) if wait else nullcontext():
                found: Mapping[Any, Sequence[Any]] = await consumer.getmany(*of, timeout_ms=int(wait * 1000), max_records=most)
    except TimeoutError:
        return {}
    return found


async def started(client: Any) -> Any:
    """The client, once it has started; one that could not is stopped, or it would leave connections behind."""
    try:
        await client.start()
    except BaseException:
        await stop_client(client)
        raise
    return client


async def ask(consumer: Any) -> None:
    """Raises `BrokerUnavailable` if the broker does not answer."""
    try:
        await consumer.topics()
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error


@asynccontextmanager
async def asking(client: C) -> AsyncIterator[C]:
    """The client, started, for as long as something is asked; what the broker has against that is `BrokerUnavailable`."""
    try:
        await client.start()
        yield client
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await stop_client(client)


async def cut_off(producer: AIOKafkaProducer, within: float = STOPPING) -> None:
    """End a producer for whose confirmations nobody waits any more.

    Asked to stop it would wait for them itself, and where the broker does not confirm, be there for ever and go on trying.
    """
    # It has no other name for either.
    sender, producer._closed = producer._sender, True  # noqa: SLF001
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(within):
            if sender is not None:
                await sender.close()
            await producer.client.close()


async def stop_client(client: Any) -> None:
    """Stop a client; without a broker they would wait for ever."""
    try:
        async with asyncio.timeout(STOPPING):
            await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
    except (KafkaError, OSError, TimeoutError):
        # Whatever was not confirmed is published again from its outbox.
        return
    except asyncio.CancelledError:
        # A consumer whose fetch has just failed lets its own cancelling of it through.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        # What its own stopping did not come to: its connections would stay.
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_CUT_OFF_WITHIN):
                await (getattr(client, "_client", None) or client.client).close()
