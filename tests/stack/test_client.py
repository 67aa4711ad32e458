"""The Python client, while gateways are killed under it."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from profuse_client import Failed, Imported, Limits, Options
from tests.client_library.both import Import, Result, in_a_loop, in_threads
from tests.stack.door import Door, wait_until
from tests.stack.producer import running, value

pytestmark = pytest.mark.timeout(240)

PROFILES = 20_000
# So many results lie between two kills, so that all of them hit a run that moves; on a slow machine it may be over before the last.
BETWEEN, KILLS, LEAST = 2_000, 3, 2
TOKEN = "counted-abcdefghijklmnqrs"
_COUNTED = "SELECT count(*) FROM profiles WHERE data->>'email' LIKE $1 || '-%@client.test' AND (data->>'visits')::int = $2"


@pytest.fixture
def counted(used: Door) -> Iterator[Door]:
    """With an account that counts, and two gateways."""
    assert used.run("apply", str(Path(__file__).with_name("client.toml"))).returncode == 0
    used.up("--gateways", "2")
    yield used
    used.up("--gateways", "1")


@contextmanager
def killing(stack: Door, results: list[Result]) -> Iterator[list[int]]:
    """Gateways in turns by `kill -9`, whenever the run has moved; yields how many results there were at each kill."""
    killed: list[int] = []
    over = threading.Event()

    def moved(seen: int) -> None:
        wait_until(lambda: over.is_set() or len(results) >= seen + BETWEEN, seconds=120)

    def ready(gateway: str) -> int | None:
        """On a busy machine it may not answer at the first look; None: the run was over before it did."""
        while not over.wait(0.1):
            if (pid := stack.pids(ready=True).get(gateway)) is not None:
                return pid
        return None

    def kill() -> None:
        while not over.is_set() and len(killed) < KILLS:
            moved(len(results))
            pid = ready(f"gateway-{len(killed) % 2 + 1}")
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                killed.append(len(results))

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()


@pytest.mark.promise("P-CLIENT-05", "P-REQID-11", "P-OPS-01")
@pytest.mark.parametrize("imported", [in_threads, in_a_loop], ids=["Client", "AsyncClient"])
def test_each_profile_is_imported_once_while_gateways_are_killed(counted: Door, imported: Import, caplog: pytest.LogCaptureFixture) -> None:
    prefix = "loop" if imported is in_a_loop else "threads"
    people = ({"email": f"{prefix}-{number}@client.test", "visits": {"action": "incr", "value": 1}} for number in range(PROFILES))
    results: list[Result] = []
    with caplog.at_level(logging.INFO, "profuse_client"), killing(counted, results) as killed:
        imported(str(running(counted).api), people, results, TOKEN, Options(limits=Limits(profiles=500)))
    cut = [record for record in caplog.records if "Error" in record.getMessage()]

    assert [result for result in results if isinstance(result, Failed)] == []
    assert [result.index for result in results] == list(range(PROFILES))
    assert len({result.profile_id for result in results if isinstance(result, Imported)}) == PROFILES
    assert value(counted, _COUNTED, prefix, 1) == PROFILES
    assert len(killed) >= LEAST, f"killed at {killed}"
    assert cut, "no kill was felt"
