"""A gateway that is frozen in the middle of publishing, and thaws when another one has done its work."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.pipeline.processes import Process
from tests.pipeline.stack import BATCH, TOKEN, Json, Stack
from tests.pipeline.waiting import eventually

# Four slices, of which the broker has one or none when the gateway freezes.
PROFILES = 2_000
ID = {"Request-ID": "frozen-in-mid-publish"}
# Short enough to be taken over soon, and a caller that is patient enough to see what the sleeper says in the end.
SLEEPER = {
    "PROFUSE_CRASH_AT": "gateway:half_published",
    "PROFUSE_CRASH_BY": "SIGSTOP",
    "PROFUSE_ACCEPTING_LEASE": "PT2S",
    "PROFUSE_REPLY_DEADLINE": "PT100S",
}


@pytest.mark.timeout(180)
@pytest.mark.promise("P-REQID-11", "P-LAUNCH-01", "P-BATCH-02", "P-OPS-21")
def test_a_gateway_that_froze_in_mid_publish_is_replaced_and_still_answers_right(replicas: Stack) -> None:
    items = [{"data": {"email": f"{number}@gateway.test"}} for number in range(PROFILES)]
    body = json.dumps({"token": TOKEN, "trigger_id": 8, "skip_triggers": True, "timeout": {"days": 1}, "data": items}).encode()
    with ThreadPoolExecutor() as threads, replicas.another_gateway(**SLEEPER) as sleeper:
        first = threads.submit(post, sleeper, body)
        eventually(sleeper.is_frozen, 30, lambda: f"the gateway freezes; it says {sleeper.last_words()}")
        task = replicas.last_task()
        assert replicas.status(task, limit=0)["result"]["imported"] < PROFILES, "it froze too late to show anything"
        repeats: list[Json] = []
        eventually(lambda: completed(replicas, body, repeats), 60, lambda: "the batch is completed by its repeat", pause=0.2)
        sleeper.thaw()
        answer = first.result()

    assert (answer.status_code, answer.json()) == (200, repeats[-1])
    assert len({entry["profile_id"] for entry in repeats[-1]["result"]}) == PROFILES
    assert {repeat["error"] for repeat in repeats} <= {0, 409}
    assert replicas.launched_items(task, PROFILES) == list(range(PROFILES))
    assert replicas.answered_items(task) == list(range(PROFILES))
    assert replicas.dead_letters() == []
    assert "Traceback" not in sleeper.log.read_text()


def post(gateway: Process, body: bytes) -> httpx2.Response:
    return httpx2.post(f"http://127.0.0.1:{gateway.port}/api/v1.1/{BATCH}", content=body, headers=ID, timeout=120)


def completed(stack: Stack, body: bytes, repeats: list[Json]) -> bool:
    repeats.append(stack.send(BATCH, body, ID).body)
    return "result" in repeats[-1]
