"""A server that is frozen keeps its connections and says nothing: nobody may wait for it without an end."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import psutil
import pytest

from tests.stack.door import Door, wait_until
from tests.stack.frozen import frozen, problems, unready_by_metrics
from tests.stack.producer import come_to_their_end, post, process_of, value

ROOMS = ("gateway-1", "matcher-1", "launcher-1")

# A stack's start and a freeze, on a machine that does other work.
pytestmark = pytest.mark.timeout(240)


def refused(answers: Sequence[httpx2.Response]) -> bool:
    return all(answer.status_code == 503 and int(answer.headers["retry-after"]) > 0 for answer in answers)


@pytest.mark.promise("P-HTTP-24", "P-OPS-15", "P-OPS-25", "P-WATCH-01")
def test_while_postgres_is_frozen_requests_are_refused_and_everybody_goes_on_when_it_thaws(used: Door) -> None:
    # More than the gateway has connections.
    names = [f"postgres-{number}" for number in range(15)]
    with ThreadPoolExecutor(len(names)) as threads, frozen(used, "postgres"):
        answers = list(threads.map(lambda name: post(used, name), names))
        said, alarming = problems(used), unready_by_metrics(used)
    wait_until(used.is_ready, seconds=60)

    assert refused(answers)
    assert {room: any("Postgres does not answer" in problem for problem in told) for room, told in said.items()} == dict.fromkeys(
        said, True
    )
    assert alarming == set(said)
    come_to_their_end(used, "postgres", names)


@pytest.mark.promise("P-HTTP-24", "P-OPS-15", "P-BATCH-19", "P-BATCH-20", "P-OPS-25", "P-WATCH-01")
def test_while_the_broker_is_frozen_requests_are_answered_and_everybody_goes_on_when_it_thaws(used: Door) -> None:
    published = "SELECT count(*) FROM requests JOIN batches ON id = batch WHERE request_id = 'kafka-0' AND published_at IS NOT NULL"
    with ThreadPoolExecutor(2) as threads, ExitStack() as broker:
        # Nobody may match it, or the broker's answer would have been on its way already.
        with frozen(used, "matcher-1"):
            answer = threads.submit(post, used, "kafka-0")
            wait_until(lambda: value(used, published) == 1)
            broker.enter_context(frozen(used, "kafka"))
            early = answer.result()
        late = post(used, "kafka-1")
        # By now it is known.
        at_once = post(used, "kafka-2", patience=4)
        said, alarming = problems(used), unready_by_metrics(used)
    wait_until(used.is_ready, seconds=60)

    assert early.status_code == 202
    assert refused([late, at_once])
    assert {room: any("Kafka does not answer" in problem for problem in told) for room, told in said.items()} == dict.fromkeys(said, True)
    assert alarming == set(said)
    come_to_their_end(used, "kafka", [f"kafka-{number}" for number in range(3)])


@pytest.mark.promise("P-OPS-12", "P-OPS-13", "P-OPS-25")
@pytest.mark.parametrize("server", ["postgres", "kafka"])
def test_a_process_that_is_told_to_stop_is_gone_in_time_although_a_server_is_frozen(used: Door, server: str) -> None:
    with frozen(used, server):
        rooms = [process_of(used, name) for name in ROOMS]
        for room in rooms:
            room.terminate()
        _, alive = psutil.wait_procs(rooms, timeout=12)
    wait_until(used.is_ready, seconds=90)

    assert alive == []
