"""Three brokers hold what was acknowledged when one of them dies."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest

from profuse.plain_http import NO_CERTIFICATES
from runtime.broker import look_at_topics
from schemas.settings import Settings
from tests.stack.cluster import addresses, brokers
from tests.stack.conftest import DEMO
from tests.stack.door import Door, wait_until
from tests.stack.producer import BATCH, TOKEN, running, value

pytestmark = pytest.mark.timeout(240)

PRODUCERS = 4
ITEMS = 20
# Before and after the kill.
REQUESTS = 20

ANSWERED = "SELECT count(*) FROM requests JOIN results USING (batch), unnest(items) WHERE request_id LIKE 'three-%'"
ANSWERED_ONCE = ANSWERED.replace("count(*)", "count(DISTINCT (batch, unnest))")
IMPORTED = "SELECT count(*) FROM profiles WHERE data->>'email' LIKE 'three-%@stack.test'"
LAUNCHES = "SELECT count(*) FROM requests JOIN launches USING (batch), unnest(items) WHERE request_id LIKE 'three-%'"
ENDED = "SELECT coalesce(sum(launched), 0) FROM requests JOIN launches USING (batch) WHERE request_id LIKE 'three-%'"


def produce(stack: Door, producer: int, acknowledged: list[str], stop: threading.Event) -> None:
    """One request after the other, each repeated under its id until it is acknowledged."""
    with httpx2.Client(verify=NO_CERTIFICATES, timeout=60) as client:
        for number in count():
            name = f"three-{producer}-{number}"
            wait_until(lambda name=name: is_acknowledged(client, stack, name), seconds=60)  # type: ignore[misc]
            acknowledged.append(name)
            if stop.is_set():
                return


def is_acknowledged(client: httpx2.Client, stack: Door, name: str) -> bool:
    data = [{"data": {"email": f"{name}-{item}@stack.test"}} for item in range(ITEMS)]
    body = {"token": TOKEN, "trigger_id": 8, "data": data}
    return client.post(f"{running(stack).api}/api/v1.1/{BATCH}", json=body, headers={"Request-ID": name}).status_code == 200


@contextmanager
def load(stack: Door) -> Iterator[list[str]]:
    """Yields what is acknowledged so far; when the block ends, what is on its way is brought to its end."""
    acknowledged: list[str] = []
    stop = threading.Event()
    with ThreadPoolExecutor(PRODUCERS) as threads:
        producers = [threads.submit(produce, stack, number, acknowledged, stop) for number in range(PRODUCERS)]
        try:
            yield acknowledged
        finally:
            stop.set()
        for producer in producers:
            producer.result()


def copies(kafka: str) -> dict[str, int]:
    """Topics that have too few, or settings that would lose records."""
    found = asyncio.run(look_at_topics(Settings(kafka=kafka)))
    assert found.faults == []
    return found.few_copies


@pytest.mark.promise("P-OPS-51", "P-OPS-43")
def test_one_of_three_brokers_is_killed_under_load_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    with brokers(tmp_path) as cluster:
        stack = Door(tmp_path / "stack", {"PROFUSE_KAFKA": addresses(cluster), "PROFUSE_REPLICATION": "3", "PROFUSE_PARTITIONS": "6"})
        try:
            said = stack.up("--port", "0", "--hooks", "0", "--consoles", "0")
            assert stack.run("apply", str(DEMO)).returncode == 0
            with load(stack) as acknowledged:
                wait_until(lambda: len(acknowledged) >= REQUESTS, seconds=60)
                cluster[0].kill()
                before = len(acknowledged)
                wait_until(lambda: len(acknowledged) >= before + REQUESTS, seconds=60)
            sent = len(acknowledged) * ITEMS
            wait_until(lambda: value(stack, ENDED) >= sent, seconds=60)

            assert [value(stack, each) for each in (ANSWERED, ANSWERED_ONCE, IMPORTED, LAUNCHES, ENDED)] == [sent] * 5
            assert copies(addresses(cluster[1:])) == {}
            assert "few_copies" not in said
        finally:
            stack.run("down")
