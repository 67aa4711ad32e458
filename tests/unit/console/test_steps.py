"""What became of an item's launch, as far as its groups say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from profuse.console.reading.items import steps

pytestmark = pytest.mark.promise("P-CONSOLE-04")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def group(attempt: int = 0, **differs: Any) -> dict[str, Any]:
    usual = {
        "trigger_id": 5, "trigger": 8, "trigger_name": "Welcome", "channel": "email", "attempt": attempt, "run": 0, "due_at": NOW,
        "run_at": NOW, "held_since": None, "doomed": None, "claims": 0, "finished_at": None, "done": False, "size": 1,
        "launched": 0, "skipped": 0, "failed": 0, "cancelled": 0,
    }  # fmt: skip
    return usual | differs


FAILURE = {"trigger": 5, "reason": "HTTP 422", "failed_at": NOW, "attempt": 1}


@pytest.mark.parametrize(
    ("groups", "failures", "words"),
    [
        ([group()], {}, ["waiting"]),
        ([group(held_since=NOW)], {}, ["held"]),
        ([group(done=True, launched=1, finished_at=NOW)], {}, ["launched"]),
        ([group(done=True, skipped=1, finished_at=NOW)], {}, ["skipped"]),
        ([group(done=True, launched=3, skipped=1, size=4, finished_at=NOW)], {}, ["launched or skipped"]),
        ([group(done=True), group(1)], {}, ["went on", "waiting"]),
        ([group(done=True), group(1, done=True, failed=1)], {5: FAILURE}, ["went on", "failed"]),
        # Another run has begun since.
        ([group(done=True), group(1, done=True), group(2, run=1)], {}, ["went on", "went on", "waiting"]),
        ([group(done=True)], {}, ["over"]),
    ],
)
def test_an_item_is_where_its_last_group_has_it(groups: list[dict[str, Any]], failures: dict[int, Any], words: list[str]) -> None:
    assert [step.word for step in steps(b"b" * 12, 0, groups, failures)] == words


def test_a_failure_says_why_and_when() -> None:
    (_, last) = steps(b"b" * 12, 0, [group(done=True), group(1, done=True)], {5: FAILURE})

    assert (last.reason, last.at) == ("HTTP 422", NOW)


def test_each_attempt_has_the_launch_s_one_id() -> None:
    assert len({step.launch for step in steps(b"b" * 12, 3, [group(done=True), group(1)], {})}) == 1
