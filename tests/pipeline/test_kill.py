"""`kill -9` in the middle of ten thousand profiles."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.pipeline.stack import Json, Stack
from tests.pipeline.waiting import eventually

PROFILES = 10_000


@pytest.mark.promise("P-OPS-02", "P-OPS-05", "P-OPS-06", "P-LAUNCH-01", "P-BATCH-03")
def test_a_matcher_that_is_killed_in_mid_batch_loses_nothing_and_doubles_nothing(replicas: Stack) -> None:
    before = replicas.last_task()
    with ThreadPoolExecutor() as threads:
        answer = threads.submit(replicas.import_and_start, people("matcher"), timeout={"days": 1})
        task = replicas.next_task(before)
        eventually(lambda: 0 < replicas.status(task, limit=0)["progress"] < 100, 30, lambda: "a matcher is in the middle of the batch")
        replicas.matchers[0].kill9()
        assert replicas.status(task, limit=0)["progress"] < 100, "the kill came too late to show anything"
        replicas.heal()
        result = answer.result().body["result"]

    stored = replicas.world.value("SELECT count(*) FROM profiles WHERE data->>'email' LIKE 'matcher-%@kill.test'")
    assert stored == PROFILES
    assert len({entry["profile_id"] for entry in result}) == PROFILES
    assert [replicas.profile(result[at]["profile_id"])["_fname"] for at in (0, 4_321, 9_999)] == ["0", "4321", "9999"]
    assert replicas.launched_items(task, PROFILES) == list(range(PROFILES))
    assert replicas.answered_items(task) == list(range(PROFILES))
    assert replicas.dead_letters() == []
    assert counts(replicas, task) == {"total": PROFILES, "imported": PROFILES, "failed": 0}


@pytest.mark.promise("P-OPS-03", "P-OPS-05", "P-LAUNCH-01", "P-LAUNCH-11", "P-LAUNCH-15", "P-EVENT-01", "P-EVENT-02", "P-EVENT-04")
def test_a_launcher_that_is_killed_in_mid_batch_loses_nothing_and_doubles_nothing(replicas: Stack) -> None:
    # A mail costs more than all else here, so three of four are sent none: their profile's status forbids it.
    mailed = range(0, PROFILES, 4)
    items = people("launcher")
    for number, item in enumerate(items):
        item["data"]["_status"] = 0 if number in mailed else "unsubscribed"
    replicas.import_and_start(items)
    task = replicas.last_task()
    eventually(lambda: replicas.status(task, limit=0)["result"]["skipped"] > PROFILES / 10, 30, lambda: "a launcher is in the middle")
    replicas.launchers[0].kill9()
    assert replicas.status(task, limit=0)["result"]["scheduled"] > 0, "the kill came too late to show anything"
    ended = replicas.wait_launched(task)

    told = Counter((event["event_data"]["item"], event["event_type"]) for event in distinct_events(replicas, task))
    ids = replicas.sink.arrivals("launcher-")
    assert (ended["launched"], ended["skipped"], ended["launch_failed"]) == (len(mailed), PROFILES - len(mailed), 0)
    assert replicas.launched_items(task, PROFILES) == list(range(PROFILES))
    assert unfinished(replicas, task) == 0
    assert told == {(item, kind): 1 for item in range(PROFILES) for kind in ("import_api", "launch", "send" if item in mailed else "skip")}
    # One mail may arrive twice, but then it is the same one.
    assert ids.keys() == {f"launcher-{number}@kill.test" for number in mailed}
    assert len(set().union(*ids.values())) == len(mailed)


@pytest.mark.promise("P-BATCH-02", "P-OPS-01")
def test_what_was_answered_survives_the_death_of_every_process(replicas: Stack) -> None:
    items = [{"data": {"email": f"answered-{number}@kill.test"}} for number in range(1_000)]
    result = replicas.import_and_start(items, timeout={"days": 1}).body["result"]
    for process in replicas.processes:
        process.kill9()
    task = replicas.last_task()
    replicas.heal()

    assert replicas.status(task)["result"]["items"] == result
    assert replicas.profile(result[-1]["profile_id"])["email"] == "answered-999@kill.test"
    assert replicas.launched_items(task, len(items)) == list(range(len(items)))


def people(name: str) -> list[Json]:
    return [{"data": {"email": f"{name}-{number}@kill.test", "_fname": str(number)}} for number in range(PROFILES)]


def unfinished(stack: Stack, task: str) -> int:
    open_or_partial = "SELECT count(*) FROM launches WHERE batch = $1 AND (finished_at IS NULL OR bit_count(done) <> cardinality(items))"
    return int(stack.world.value(open_or_partial, bytes.fromhex(task)))


def counts(stack: Stack, task: str) -> Json:
    result = stack.status(task, limit=0)["result"]
    return {name: result[name] for name in ("total", "imported", "failed")}


def distinct_events(stack: Stack, task: str) -> list[Json]:
    events = [event for event in stack.world.events() if event["event_data"]["batch_id"] == task]
    return list({event["event_id"]: event for event in events}.values())
