"""What a run does next, without a server: the plan is asked, and told what came of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from profuse_client.answers import Again
from profuse_client.calls import STATUS, import_and_start
from profuse_client.cutting import Limits
from profuse_client.errors import GivenUp, Refused
from profuse_client.exchanges import Outcome
from profuse_client.patience import Patience
from profuse_client.plan import Deliver, Over, Plan, Read, Send, Step, Wait

NOBODY: dict[str, Any] = {}


class Run:
    """A plan, its input and a clock that is set by hand."""

    def __init__(self, profiles: int, parallel: int = 2, patience: float = 60.0) -> None:
        self.plan = Plan(import_and_start(8, NOBODY), "run", Limits(profiles=2), parallel, patience)
        self.now = 0.0
        self.left = iter({"email": f"p{number}@plan.test"} for number in range(profiles))

    def steps(self) -> Iterator[Step]:
        """Until there is something to wait for, or nothing at all; reads by itself."""
        while True:
            step = self.plan.step(self.now)
            if isinstance(step, Read):
                if not any(self.plan.take(item) for item in self.left):
                    self.plan.close()
                continue
            yield step
            if isinstance(step, (Wait, Over)):
                return

    def sent(self) -> list[Send]:
        return [step for step in self.steps() if isinstance(step, Send)]

    def answer(
        self,
        send: Send,
        body: dict[str, Any],
        status: int = 200,
        after: str | None = None,
        seconds: float = 0.0,
        *,
        repeated: bool = False,
    ) -> None:
        headers = ({} if after is None else {"retry-after": after}) | ({"duplicate-request": "true"} if repeated else {})
        self.plan.heard(send.number, Outcome(seconds, status, headers, json.dumps({"error": 0, **body}).encode()), self.now)


def success(*ids: str) -> dict[str, Any]:
    return {"result": [{"profile_id": each} for each in ids]}


def task(status: str, progress: int, items: list[Any]) -> dict[str, Any]:
    return {"data": {"task_id": "aa", "status": status, "progress": progress, "result": {"items": items}}}


def asked(send: Send) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(b"".join(send.exchange.pieces))
    return body


@pytest.mark.promise("P-CLIENT-05")
def test_a_task_is_looked_up_until_it_is_completed_and_then_read_whole() -> None:
    run = Run(2)
    (first,) = run.sent()
    run.answer(first, {"data": {"task_id": "aa"}}, 202)
    run.now += 1
    (look,) = run.sent()
    run.answer(look, task("running", 50, []))
    run.now += 5
    (again,) = run.sent()
    run.answer(again, task("completed", 100, []))
    (whole,) = run.sent()
    run.answer(whole, task("completed", 100, [{"profile_id": "x"}, {"error": 409, "error_text": "No", "field": "email"}]))
    delivered, over = run.steps()

    assert [look.exchange.path, again.exchange.path, whole.exchange.path] == [STATUS] * 3
    assert [asked(each)["limit"] for each in (look, again, whole)] == [0, 0, 2]
    assert isinstance(delivered, Deliver)
    assert [entry.fields for entry in delivered.entries] == [{"profile_id": "x"}, {"error": 409, "error_text": "No", "field": "email"}]
    assert over == Over()


@pytest.mark.promise("P-CLIENT-05")
@pytest.mark.parametrize("refusal", [403, 404])
def test_a_task_that_cannot_be_looked_up_is_followed_by_repeats_of_its_request(refusal: int) -> None:
    run = Run(2)
    (first,) = run.sent()
    run.answer(first, {"data": {"task_id": "aa"}}, 202)
    run.now += 1
    (look,) = run.sent()
    run.answer(look, {"error": refusal, "error_text": "No"}, refusal)
    (repeat,) = run.sent()
    run.answer(repeat, {"data": {"task_id": "aa"}}, 202, seconds=30.0)
    run.now += 1
    (second,) = run.sent()
    run.answer(second, success("x", "y"))
    delivered, _ = run.steps()

    assert repeat.exchange == second.exchange == first.exchange
    assert isinstance(delivered, Deliver)
    assert [entry.fields for entry in delivered.entries] == [{"profile_id": "x"}, {"profile_id": "y"}]


@pytest.mark.promise("P-CLIENT-05")
def test_a_task_that_its_gateway_left_incomplete_is_completed_by_a_repeat() -> None:
    run = Run(1)
    (first,) = run.sent()
    run.answer(first, {"data": {"task_id": "aa"}}, 202)
    run.now += 1
    (look,) = run.sent()
    run.answer(look, task("incomplete", 0, []))
    run.now += 1
    (repeat,) = run.sent()

    assert repeat.exchange == first.exchange


NO_ACCESS, TOO_MANY, IS_BEING_ACCEPTED = ({"error": error, "error_text": "No"} for error in (403, 429, 409))
AWAY, TOO_LATE = {"error": 503, "error_text": "Temporarily unavailable"}, {"error": 408, "error_text": "Request timeout"}
UNDER_WAY, INCOMPLETE = {"data": {"task_id": "aa"}}, task("incomplete", 0, [])


@pytest.mark.promise("P-CLIENT-07")
@pytest.mark.parametrize(
    ("heard", "repeated"),
    [
        ([], True),
        ([(TOO_MANY, False)], True),
        ([(IS_BEING_ACCEPTED, False)], True),
        ([(UNDER_WAY, True), (NO_ACCESS, False)], True),
        ([(UNDER_WAY, False), (NO_ACCESS, False)], False),
        ([(UNDER_WAY, False), (INCOMPLETE, False)], False),
        ([(UNDER_WAY, False), (INCOMPLETE, False), (AWAY, False)], False),
        ([(AWAY, False)], False),
        ([(TOO_LATE, False)], False),
        ([(None, False)], False),
        ([(TOO_MANY, False), (None, False), (TOO_MANY, False)], False),
        ([(None, False), (UNDER_WAY, True), (NO_ACCESS, False)], False),
        ([(UNDER_WAY, True), (INCOMPLETE, False), (None, False)], True),
    ],
)
def test_what_this_run_may_have_brought_itself_is_not_told_as_repeated(
    heard: list[tuple[dict[str, Any] | None, bool]], repeated: bool
) -> None:
    run = Run(1)
    for body, by_another in [*heard, (success("x"), True)]:
        (send,) = run.sent()
        if body is None:
            run.plan.heard(send.number, Outcome(0.0, why="cut"), run.now)
        else:
            run.answer(send, body, body.get("error", 200), after="1", repeated=by_another)
        run.now += 20
    delivered, _ = run.steps()

    assert isinstance(delivered, Deliver)
    assert [entry.repeated for entry in delivered.entries] == [repeated]


@pytest.mark.promise("P-CLIENT-05")
def test_an_entry_that_is_taken_back_for_a_replay_is_waited_for() -> None:
    run = Run(1)
    (first,) = run.sent()
    run.answer(first, {"data": {"task_id": "aa"}}, 202)
    run.now += 1
    (look,) = run.sent()
    run.answer(look, task("completed", 100, []))
    (whole,) = run.sent()
    run.answer(whole, task("running", 99, [None]))

    assert [type(step) for step in run.steps()] == [Wait]


@pytest.mark.promise("P-CLIENT-04")
def test_a_crowded_server_gets_fewer_at_a_time_and_more_again_with_each_answer() -> None:
    run = Run(20, parallel=4)
    four = run.sent()
    for each in four:
        run.answer(each, {"error": 429, "error_text": "Too many requests"}, 429, after="3")
    run.now = 2.9
    early = run.sent()
    run.now = 3.8
    one = run.sent()
    run.answer(one[0], success("x", "y"))
    two = run.sent()

    assert (len(four), early, len(one), len(two)) == (4, [], 1, 2)


@pytest.mark.promise("P-CLIENT-03")
def test_no_more_is_read_than_is_soon_sent() -> None:
    run = Run(1_000, parallel=2)
    sent = run.sent()

    assert len(sent) == 2
    # Four parts of two, and what the last one was cut by.
    assert next(run.left) == {"email": "p8@plan.test"}


@pytest.mark.promise("P-CLIENT-08")
def test_nothing_is_sent_behind_what_was_refused_and_what_was_before_it_ends() -> None:
    run = Run(100)
    first, second = run.sent()
    run.answer(second, {"error": 400, "error_text": "Invalid request"}, 400)
    nothing = run.sent()
    run.answer(first, {"error": 503, "error_text": "Temporarily unavailable"}, 503, after="1")
    run.now += 2
    (again,) = run.sent()
    run.answer(again, success("x", "y"))

    assert nothing == []
    assert again.exchange == first.exchange
    steps = run.steps()
    assert isinstance(next(steps), Deliver)
    with pytest.raises(Refused, match=r"\(run_id run\)$") as refused:
        next(steps)
    assert refused.value.run_id == "run"


@pytest.mark.promise("P-CLIENT-08")
def test_nothing_is_read_any_more_when_something_was_refused() -> None:
    run = Run(1_000, parallel=4)
    first, _, third, _ = run.sent()
    run.answer(third, {"error": 400, "error_text": "Invalid request"}, 400)
    run.answer(first, success("x", "y"))
    delivered, waiting = run.steps()

    assert (type(delivered), type(waiting)) == (Deliver, Wait)
    # Eight parts of two.
    assert next(run.left) == {"email": "p16@plan.test"}


@pytest.mark.promise("P-CLIENT-09")
def test_patience_ends_after_seconds_of_trying_and_not_while_something_moves() -> None:
    run = Run(1, patience=12)
    (first,) = run.sent()
    run.answer(first, {"data": {"task_id": "aa"}}, 202)
    for progress in [*range(50), 49]:
        run.now += 20
        (look,) = run.sent()
        run.answer(look, task("running", progress, []), seconds=5.0)
    run.now += 20
    (last,) = run.sent()
    run.answer(last, task("running", 49, []), seconds=5.0)

    with pytest.raises(GivenUp, match="task aa is running, 49 %"):
        run.plan.step(run.now)


@pytest.mark.promise("P-CLIENT-09")
def test_a_request_that_is_turned_away_is_not_given_up_while_the_task_of_another_gets_on() -> None:
    run = Run(4, patience=12)
    first, second = run.sent()
    run.answer(first, UNDER_WAY, 202)
    run.answer(second, TOO_MANY, 429, after="8")
    turned_away = 0
    for progress in range(50):
        run.now += 11
        (look,) = run.sent()
        run.answer(look, task("running", progress, []))
        for again in run.sent():
            run.answer(again, TOO_MANY, 429, after="8")
            turned_away += 1

    assert turned_away == 50


@pytest.mark.promise("P-CLIENT-09")
def test_nor_is_one_while_others_are_answered_but_then_it_is() -> None:
    run = Run(6, patience=12)
    front, *others = run.sent()
    for _ in range(2):
        run.answer(front, AWAY, 503, after="8")
        others += run.sent()
        run.now += 11
        run.answer(others.pop(0), success("x", "y"))
        (front,) = run.sent()
    run.answer(front, AWAY, 503, after="8")
    run.now += 11
    (front,) = run.sent()
    run.answer(front, AWAY, 503, after="8")

    with pytest.raises(GivenUp, match="503 Temporarily unavailable"):
        run.sent()


@pytest.mark.promise("P-CLIENT-09")
def test_of_a_try_counts_what_came_after_the_last_that_moved() -> None:
    run = Run(4, patience=12)
    first, second = run.sent()
    run.now += 19
    run.answer(first, success("x", "y"), seconds=19.0)
    run.now += 1
    run.plan.heard(second.number, Outcome(20.0, why="no answer in time"), run.now)
    run.now += 1
    delivered, again, _ = run.steps()

    assert isinstance(delivered, Deliver)
    assert isinstance(again, Send)
    assert again.exchange == second.exchange


@pytest.mark.promise("P-CLIENT-05")
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (success("x"), "1 entries for 2 items"),
        ({"data": []}, "neither a result nor a task"),
        ({"result": None}, "neither a result nor a task"),
        ({"result": {"profile_id": "x"}}, "neither a result nor a task"),
        ({"result": [{"profile_id": "x"}, None]}, "an entry is no profile and no error"),
        ({"result": [{"profile_id": "x"}, {}]}, "an entry is no profile and no error"),
        ({"result": [{"profile_id": "x"}, {"error": 0}]}, "an entry is no profile and no error"),
        ({"result": [{"profile_id": "x"}, {"error": "bad"}]}, "an entry is no profile and no error"),
    ],
)
def test_an_answer_that_does_not_fit_its_request_is_none_and_is_told_in_its_place(body: dict[str, Any], words: str) -> None:
    run = Run(4)
    first, second = run.sent()
    run.answer(second, body)
    run.answer(first, success("x", "y"))

    assert isinstance(run.plan.step(run.now), Deliver)
    with pytest.raises(Refused, match=words):
        run.plan.step(run.now)


@pytest.mark.promise("P-CLIENT-05")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": None},
        {"data": {"status": "running", "progress": 1}},
        {"data": {"status": "running", "progress": None, "result": {"items": []}}},
        {"data": {"status": "running", "progress": 1, "result": {"items": None}}},
    ],
)
def test_nor_is_one_that_shows_no_task_when_asked_for_it(body: dict[str, Any]) -> None:
    run = Run(2)
    (first,) = run.sent()
    run.answer(first, UNDER_WAY, 202)
    run.now += 1
    (look,) = run.sent()
    run.answer(look, body)

    with pytest.raises(Refused, match="502 not an answer of Profuse: not how far a task has come"):
        run.plan.step(run.now)


def test_what_a_proxy_makes_of_an_answer_is_asked_for_again() -> None:
    run = Run(1)
    (first,) = run.sent()
    run.plan.heard(first.number, Outcome(0.1, 502, {}, b"[" * 100_000), run.now)

    assert isinstance(run.plan.step(run.now), Wait)


@pytest.mark.promise("P-CLIENT-08")
def test_a_token_that_always_gets_200_is_read_by_the_body() -> None:
    run = Run(1)
    (first,) = run.sent()
    run.answer(first, {"error": 403, "error_text": "No access"}, 200)

    with pytest.raises(Refused, match="403 No access"):
        run.plan.step(run.now)


@pytest.mark.promise("P-CLIENT-04")
def test_those_who_are_turned_away_together_do_not_come_back_together() -> None:
    rests = {Patience(60, f"run-{number}").rest(Again("503", after), 0.0) for number in range(10) for after in (None, 3.0)}

    assert len(rests) == 20
    assert len({rest for rest in rests if 3.0 < rest < 4.0}) == 10
