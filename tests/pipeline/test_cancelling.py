"""`campaigns/triggers/cancel`, and the command that does the same."""

from typing import Any

import pytest

from tests.pipeline.processes import run
from tests.pipeline.stack import Json, Stack
from tests.pipeline.waiting import eventually

CANCEL = "campaigns/triggers/cancel"
pytestmark = pytest.mark.promise("P-HTTP-34", "P-STATUS-08", "P-LAUNCH-41", "P-DOOR-18")


def scheduled(pipeline: Stack, *emails: str) -> str:
    """A batch that is due in a day, and whose launches wait."""
    before = pipeline.last_task()
    pipeline.import_and_start([{"data": {"email": email}} for email in emails], timeout={"days": 1})
    task = pipeline.next_task(before)
    eventually(lambda: pipeline.status(task)["result"]["scheduled"] == len(emails), 20, lambda: "launches are scheduled")
    return task


def counts(pipeline: Stack, task: str) -> Json:
    result = pipeline.status(task, limit=0)["result"]
    return {name: result[name] for name in ("scheduled", "launched", "cancelled")}


@pytest.mark.parametrize("by", ["task_id", "profile_id", "a command"])
def test_launches_that_wait_are_taken_back(pipeline: Stack, by: str) -> None:
    email = f"{by.replace(' ', '-')}@cancel.test"
    task = scheduled(pipeline, email)
    profile = pipeline.status(task)["result"]["items"][0]["profile_id"]
    if by == "a command":
        run(["launches", "cancel", task], pipeline.environment)
    else:
        answer = pipeline.post(CANCEL, **{by: task if by == "task_id" else profile})
        assert answer.body["data"] == {"cancelled": 1, "not_yet_scheduled": 0}
    if by == "profile_id":
        # Its neighbours in a group are not due yet, so it ends with them.
        pipeline.post(CANCEL, task_id=task)
    eventually(lambda: counts(pipeline, task)["cancelled"] == 1, 20, lambda: str(counts(pipeline, task)))

    assert counts(pipeline, task) == {"scheduled": 0, "launched": 0, "cancelled": 1}
    assert pipeline.sink.mails(email) == []
    eventually(
        lambda: sorted(e["event_type"] for e in pipeline.world.events() if e["profile_id"] == profile) == ["cancel", "import_api"],
        20,
        lambda: "its end is told",
    )


@pytest.mark.promise("P-HTTP-08")
@pytest.mark.parametrize(
    ("body", "error", "names"),
    [
        ({}, 400, "exactly one"),
        ({"task_id": "0" * 24, "trigger_id": 8}, 400, "exactly one"),
        ({"task_id": None, "trigger_id": None, "profile_id": None}, 400, "exactly one"),
        ({"task_id": "x"}, 404, "task_id"),
        ({"task_id": "0" * 24}, 404, "task_id"),
        ({"profile_id": "0" * 24}, 404, "profile_id"),
        ({"trigger_id": 77}, 404, "trigger_id"),
        ({"trigger_id": 10**12}, 404, "trigger_id"),
        ({"trigger_id": True}, 400, "trigger_id"),
        ({"trigger_id": "8"}, 400, "trigger_id"),
        ({"task_id": 5}, 400, "task_id"),
    ],
)
def test_what_names_nothing_of_the_account_is_refused(pipeline: Stack, body: dict[str, Any], error: int, names: str) -> None:
    answer = pipeline.post(CANCEL, **body)

    assert (answer.status, answer.body["error"]) == (error, error)
    assert names in answer.body["error_debug"]


def test_another_account_s_launches_are_none_of_ours(pipeline: Stack) -> None:
    task = scheduled(pipeline, "theirs@cancel.test")
    other = pipeline.post(CANCEL, task_id=task, token="strangers-token")

    assert other.body["error"] == 404
    assert counts(pipeline, task)["scheduled"] == 1
    pipeline.post(CANCEL, task_id=task)
