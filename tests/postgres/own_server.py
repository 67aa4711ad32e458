"""A Postgres that a test has for itself, and may set up before it starts."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from profuse.stack import postgres
from profuse.stack.child import Child, Process
from profuse.stack.ports import free_port
from profuse.stack.servers import await_ready, prepared


@contextmanager
def own_server(set_up: Callable[[Path, Process], None] = lambda *_: None) -> Iterator[str]:
    """Its address; `set_up` is given the directory of its data."""
    with tempfile.TemporaryDirectory(prefix="profuse-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        data = Path(directory) / "postgres"
        (process,) = prepared(partial(postgres.server, data, free_port()))
        set_up(data, process)
        child = Child(process, Path(directory) / "postgres.log")
        try:
            await_ready(child)
            yield process.url
        finally:
            child.ask_to_stop()
            child.wait(seconds=5)
