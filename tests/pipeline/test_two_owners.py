"""Two matchers that both believe they own the same partitions."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.pipeline.processes import Process
from tests.pipeline.stack import Json, Stack
from tests.pipeline.waiting import eventually

PROFILES = 10_000


@pytest.mark.promise("P-OPS-04", "P-OPS-06", "P-OPS-07", "P-MATCH-17", "P-LAUNCH-01")
def test_a_matcher_that_slept_through_the_loss_of_its_partitions_changes_nothing(replicas: Stack) -> None:
    sleeper = replicas.matchers[0]
    before = replicas.last_task()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(replicas.import_and_start, people("first"), timeout={"days": 1})
        first = replicas.next_task(before)
        eventually(lambda: 0 < replicas.status(first, limit=0)["progress"] < 100, 30, lambda: "a matcher is in the middle of the batch")
        eventually(lambda: falls_asleep(replicas, sleeper), 10, lambda: "the matcher is asleep between two transactions")
        assert replicas.status(first, limit=0)["progress"] < 100, "the matcher fell asleep too late to show anything"
        ids = [entry["profile_id"] for entry in answer.result().body["result"]]
    # Whatever the sleeper still has in hand is older than this.
    repeated = replicas.import_and_start(people("second"), timeout={"days": 1})
    second = replicas.last_task()
    sleeper.thaw()
    eventually(lambda: replicas.world.members("matcher") == 2, 30, lambda: "the sleeper is a member of its group again")
    replicas.heal()
    third = replicas.import_and_start([{"data": {"email": f"after-{number}@sleep.test"}} for number in range(100)])

    assert [entry["profile_id"] for entry in repeated.body["result"]] == ids
    assert ["profile_id" in entry for entry in third.body["result"]] == [True] * 100
    assert names(replicas) == {"second": PROFILES}
    for task in (first, second):
        assert replicas.launched_items(task, PROFILES) == list(range(PROFILES))
        assert replicas.answered_items(task) == list(range(PROFILES))
        assert replicas.status(task, limit=0)["result"]["imported"] == PROFILES
    assert replicas.dead_letters() == []


def falls_asleep(stack: Stack, sleeper: Process) -> bool:
    """Between two transactions, with the next messages in hand: in one, Postgres would end it."""
    sleeper.freeze()
    busy = "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY($1) AND state <> 'idle'"
    if stack.world.value(busy, sleeper.local_ports()) == 0:
        return True
    sleeper.thaw()
    return False


def people(name: str) -> list[Json]:
    return [{"data": {"email": f"{number}@sleep.test", "_fname": name}} for number in range(PROFILES)]


def names(stack: Stack) -> dict[str, int]:
    counted = "SELECT data->>'_fname', count(*) FROM profiles WHERE data->>'email' ~ '^[0-9]+@sleep.test$' GROUP BY 1"
    return dict(stack.world.rows(counted))
