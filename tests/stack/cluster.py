"""Three brokers that are controllers, too, on this machine."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from profuse.stack import kafka
from profuse.stack.child import Child
from profuse.stack.kafka import Node
from profuse.stack.ports import free_port
from profuse.stack.readiness import until_ready

_HEAP = 256


@contextmanager
def brokers(directory: Path) -> Iterator[Sequence[Child]]:
    """Runs them while the block does."""
    ports = set[int]()
    while len(ports) < 6:
        ports.add(free_port())
    nodes = [Node(number, ports.pop(), ports.pop()) for number in (1, 2, 3)]
    # Each formats its directory by a Java of its own.
    with ThreadPoolExecutor(len(nodes)) as threads:
        processes = list(threads.map(lambda own: kafka.node(directory / f"kafka-{own.number}", own, nodes, _HEAP), nodes))
    children = [Child(process, directory / "log" / f"{process.name}.log") for process in processes]
    try:
        for child in children:
            assert asyncio.run(until_ready(child.process.url, child.has_ended)), child.last_words()
        yield children
    finally:
        # They hold what a test wrote; a majority that is gone would keep the last one from a stop in order.
        for child in children:
            child.kill()
        for child in children:
            child.wait(10)


def addresses(cluster: Sequence[Child]) -> str:
    """As PROFUSE_KAFKA names them."""
    return ",".join(urlsplit(child.process.url).netloc for child in cluster)
