"""An operator restarts every process of the rooms, one after the other, while producers go on sending."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import httpx
import pytest

from tests.stack.door import Door, wait_until
from tests.stack.producer import post_through, process_of, running

pytestmark = pytest.mark.timeout(240)

PRODUCERS = 4
ROOMS = ("gateway-1", "gateway-2", "matcher-1", "launcher-1")


@pytest.fixture
def doubled(used: Door) -> Iterator[Door]:
    """With two gateways on its one socket."""
    used.up("--gateways", "2")
    yield used
    used.up("--gateways", "1")


@contextmanager
def load(stack: Door) -> Iterator[Counter[str]]:
    """Producers that send one request after the other, half of them through one connection; yields how their requests ended so far."""
    ended: Counter[str] = Counter()
    stop = threading.Event()

    def produce(producer: int) -> None:
        with httpx.Client(limits=httpx.Limits(max_keepalive_connections=producer % 2)) as client:
            for number in count():
                if stop.is_set():
                    return
                ended[outcome(client, stack, f"rolling-{producer}-{number}")] += 1

    with ThreadPoolExecutor(PRODUCERS) as threads:
        producers = [threads.submit(produce, number) for number in range(PRODUCERS)]
        try:
            yield ended
        finally:
            stop.set()
        for producer in producers:
            producer.result()


def outcome(client: httpx.Client, stack: Door, name: str) -> str:
    try:
        answer = post_through(client, stack, name, patience=60)
    except httpx.TransportError as error:
        return type(error).__name__
    return f"{answer.status_code}{' with Retry-After' if 'retry-after' in answer.headers else ''}"


def restart(stack: Door, name: str) -> None:
    """Returns when its successor is ready."""
    before = process_of(stack, name)
    before.send_signal(signal.SIGTERM)
    wait_until(lambda: stack.pids()[name] != before.pid and is_ready(stack, name), seconds=60)


def is_ready(stack: Door, name: str) -> bool:
    url = next(each.url for each in running(stack).processes if each.name == name)
    try:
        return httpx.get(f"{url}/readyz", timeout=5).is_success
    except httpx.TransportError:
        return False


@pytest.mark.promise("P-OPS-12", "P-OPS-13", "P-DOOR-04", "P-BATCH-19")
def test_a_rolling_restart_cuts_no_request_and_refuses_none_for_good(doubled: Door) -> None:
    with load(doubled) as ended:
        for name in ROOMS:
            before = ended.total()
            restart(doubled, name)
            # The producers have not been silent meanwhile.
            wait_until(lambda before=before: ended.total() > before)  # type: ignore[misc]

    assert ended.keys() <= {"200", "202", "429 with Retry-After", "503 with Retry-After"}
    assert ended["200"] > 0
