"""The broker and Postgres: prepared for a stack, or alone in a directory of their own, which is what tests build on."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from profuse.stack import kafka, postgres
from profuse.stack.child import Child, Process
from profuse.stack.ports import free_port
from profuse.stack.readiness import until_ready
from runtime.errors import CannotRun


@contextmanager
def servers(directory: Path) -> Iterator[tuple[str, str]]:
    """Yields their addresses, as PROFUSE_KAFKA and PROFUSE_POSTGRES name them."""
    directory = directory.resolve()
    broker, database = prepared(
        partial(kafka.broker, directory / "kafka", free_port(), free_port()), partial(postgres.server, directory / "postgres", free_port())
    )
    children: list[Child] = []
    try:
        # Extended one by one, so that a first child is stopped where the second cannot be started.
        children.extend(Child(process, directory / "log" / f"{process.name}.log") for process in (broker, database))
        for child in children:
            await_ready(child)
        yield urlsplit(broker.url).netloc, database.url
    finally:
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait(seconds=5)


def prepared(*servers: Callable[[], Process]) -> list[Process]:
    """What is to be run, in this order; each makes its directory by a program of its own, so they do it at the same time."""
    with ThreadPoolExecutor(max(1, len(servers))) as threads:
        return list(threads.map(lambda prepare: prepare(), servers))


def await_ready(child: Child) -> None:
    if not asyncio.run(until_ready(child.process.url, child.has_ended)):
        raise CannotRun(f"{child.process.name} does not start: {child.last_words()} Its log: {child.log}")
