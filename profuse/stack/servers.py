"""Only the broker and Postgres, in a directory of their own: what tests build on."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from profuse.stack import kafka, postgres
from profuse.stack.child import Child
from profuse.stack.ports import free_port
from profuse.stack.readiness import until_ready
from runtime.errors import CannotRun


@contextmanager
def servers(directory: Path) -> Iterator[tuple[str, str]]:
    """Yields their addresses, as PROFUSE_KAFKA and PROFUSE_POSTGRES name them."""
    directory = directory.resolve()
    broker = kafka.broker(directory / "kafka", free_port(), free_port())
    database = postgres.server(directory / "postgres", free_port())
    children: list[Child] = []
    try:
        # Extended one by one, so that a first child is stopped where the second cannot be started.
        children.extend(Child(process, directory / "log" / f"{process.name}.log") for process in (broker, database))
        for child in children:
            _await_ready(child)
        yield urlsplit(broker.url).netloc, database.url
    finally:
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.wait(seconds=5)


def _await_ready(child: Child) -> None:
    if not asyncio.run(until_ready(child.process.url, child.has_ended)):
        raise CannotRun(f"{child.process.name} does not start: {child.last_words()} Its log: {child.log}")
