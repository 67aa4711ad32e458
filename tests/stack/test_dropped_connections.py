"""Connections to Postgres that are ended from outside, in use or not, cost a repeat and nothing else."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import asyncpg
import pytest

from tests.stack.door import Door, wait_until
from tests.stack.producer import come_to_their_end, post, running, value

pytestmark = pytest.mark.timeout(240)

# Of each room something that it asks again and again, or for each request.
TABLES = {"gateway": "tokens", "matcher": "progress", "launcher": "launches"}
DROPPED = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND pid <> ALL($1)
"""
WAITING = "SELECT count(DISTINCT relation) FROM pg_locks WHERE NOT granted AND relation::regclass::text = ANY($1)"


@contextmanager
def waiting(stack: Door) -> Iterator[int]:
    """Statements of all rooms wait for locks of ours; yields the number of the process that holds them."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(running(stack).postgres, server_settings={"search_path": "profuse"}))
        runner.run(connection.execute(f"BEGIN; LOCK TABLE {', '.join(TABLES.values())}"))
        yield connection.get_server_pid()
        runner.run(connection.close())


def tracebacks(stack: Door) -> list[str]:
    return [log.name for log in (stack.directory / "log").glob("*-1.log") if "Traceback" in log.read_text(errors="replace")]


@pytest.mark.promise("P-OPS-15", "P-OPS-21", "P-HTTP-24", "P-HTTP-26")
def test_idle_connections_that_are_dropped_cost_a_repeat_at_most(used: Door) -> None:
    before, names, answers = used.pids(), [f"idle-{number}" for number in range(5)], []
    for name in names:
        # Those that were dropped before may all be gone still, though the request was answered.
        wait_until(lambda: value(used, DROPPED, []) > 0)
        # At once: whoever lends a connection may not know yet that it is closed.
        answers.append(post(used, name).status_code)

    assert set(answers) <= {200, 202, 503}
    come_to_their_end(used, "idle", names)
    assert used.pids() == before
    assert tracebacks(used) == []


@pytest.mark.promise("P-OPS-15", "P-OPS-21", "P-HTTP-24", "P-HTTP-26")
def test_busy_connections_that_are_dropped_cost_a_repeat_at_most(used: Door) -> None:
    before, names = used.pids(), [f"busy-{number}" for number in range(5)]
    with ThreadPoolExecutor(len(names)) as threads:
        with waiting(used) as holder:
            posting = [threads.submit(post, used, name) for name in names]
            wait_until(lambda: value(used, WAITING, list(TABLES.values())) == len(TABLES))
            value(used, DROPPED, [holder])
        answers = [each.result().status_code for each in posting]

    # Who had not asked yet, because he waited for the others' answers, asks when they have been told.
    assert {503} <= set(answers) <= {200, 503}
    come_to_their_end(used, "busy", names)
    assert used.pids() == before
    assert tracebacks(used) == []
