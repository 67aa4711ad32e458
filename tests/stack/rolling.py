"""A stack whose processes are replaced one after the other, while producers go on sending."""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import httpx2

from profuse.plain_http import NO_CERTIFICATES
from tests.stack.door import Door, wait_until
from tests.stack.producer import APART, post_through, process_of, running

PRODUCERS = 4
WELCOME = {"200", "202", "429 with Retry-After", "503 with Retry-After"}


@contextmanager
def load(stack: Door, prefix: str) -> Iterator[dict[str, str]]:
    """Producers that send one request after the other, half of them through one connection; yields how each ended so far, by its name."""
    ended: dict[str, str] = {}
    stop = threading.Event()

    def produce(producer: int) -> None:
        with httpx2.Client(verify=NO_CERTIFICATES, limits=httpx2.Limits(max_keepalive_connections=producer % 2)) as client:
            for number in count():
                if stop.wait(APART):
                    return
                name = f"{prefix}-{producer}-{number}"
                ended[name] = outcome(client, stack, name)

    with ThreadPoolExecutor(PRODUCERS) as threads:
        producers = [threads.submit(produce, number) for number in range(PRODUCERS)]
        try:
            yield ended
        finally:
            stop.set()
        for producer in producers:
            producer.result()


def outcome(client: httpx2.Client, stack: Door, name: str) -> str:
    try:
        answer = post_through(client, stack, name, patience=60)
    except httpx2.TransportError as error:
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
        return httpx2.get(f"{url}/readyz", verify=NO_CERTIFICATES, timeout=5).is_success
    except httpx2.TransportError:
        return False
