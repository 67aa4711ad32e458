"""The events of one account, and the order of all, as whoever reads the topic from its beginning sees them."""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from aiokafka import AIOKafkaConsumer

from profuse.torture.model import Request
from profuse.torture.receiving.noted import digest
from profuse.torture.verdict.seen import Told
from schemas.settings import Settings
from schemas.topics import EVENTS


class _About(msgspec.Struct):
    batch_id: str
    item: int


class _Event(msgspec.Struct):
    event_id: str
    account_id: int
    # Read only where it is ours: others' may be large.
    custom_data: msgspec.Raw
    event_data: _About


async def told(settings: Settings, account: int, requests: Mapping[str, Request]) -> Told:
    """`requests` by the ids of their batches. Each event may be there several times, and is then the same."""
    decoder = msgspec.json.Decoder(_Event)
    found: dict[bytes, bytes] = {}
    contradictions, strange = set[str](), set[str]()
    order: defaultdict[int, defaultdict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    # Without a group it reads all partitions, from their beginnings.
    async with AIOKafkaConsumer(settings.topic(EVENTS.name), **settings.kafka_options(), auto_offset_reset="earliest") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(part) < end for part, end in ends.items()]):
            for record in (record for records in (await consumer.getmany(timeout_ms=1_000)).values() for record in records):
                event, content = decoder.decode(record.value), digest(record.value)
                order[event.account_id][record.partition].append(content)
                if event.account_id != account:
                    continue
                if found.setdefault(bytes.fromhex(event.event_id), content) != content:
                    contradictions.add(event.event_id)
                request = requests.get(event.event_data.batch_id)
                if request is not None and msgspec.json.decode(event.custom_data) != request.custom_data(event.event_data.item):
                    strange.add(event.event_id)
    return Told(frozenset(found), sorted(contradictions), sorted(strange), order)
