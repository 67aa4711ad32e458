"""That torture would see what a provider or a hook should not get: each difference, made on purpose."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from starlette.testclient import TestClient

from profuse.applying.desired import wanted
from profuse.applying.file import read
from profuse.plain_http import plain_client
from profuse.torture.account import ACCOUNT, CALLED, WELCOME
from profuse.torture.chronicle import Chronicle, Strike
from profuse.torture.model import Item, Key
from profuse.torture.neighbours.accounts import HOSTILE, POLITE
from profuse.torture.observing import received
from profuse.torture.receiving import outlets
from profuse.torture.receiving.apart import receiving
from profuse.torture.receiving.noted import digest
from profuse.torture.receiving.outlets import HOOK, PROVIDER, Mood
from profuse.torture.receiving.taking import Taking, application
from profuse.torture.verdict import differences, hooks, webhooks
from profuse.torture.verdict.mails import plainly_due, repeats
from profuse.torture.verdict.seen import Call, Post, applied
from runtime.outbound.signing import signed
from schemas import ids
from store.configuration.model import Key as Named
from store.configuration.model import Kind
from tests.unit.torture.worlds import CAMPAIGNS, asked, batch, ids12, profile, world

# Subjects whose number divides by 25 get mails, and webhooks as everybody does.
ITEMS = (Item(1, 25, Key.EMAIL, founds=True), Item(2, 7, Key.EMAIL, founds=True))
ONE, TWO = ids12("one"), ids12("two")
REQUEST = replace(asked(*ITEMS), by_webhook=True)
SEEN = batch("r", [ONE, TWO], {CALLED: [0, 1]})
WORLD = world({"r": SEEN}, {ONE: profile(ITEMS[0]), TWO: profile(ITEMS[1])}, [REQUEST])
DONE = applied([REQUEST], WORLD)


def call(place: int, at: float = 101.0, *, taken: bool = True, wrong: str = "", **changes: Any) -> Call:
    launch, whom = ids.launch_id(SEEN.id, place, CAMPAIGNS[CALLED]), (ONE, TWO)[place].hex()
    data = {"launch_id": launch, "profile_id": whom, "body": {"profile": whom}, "custom_data": REQUEST.custom_data(place)}
    return Call(launch, at, taken, {"type": "launch", "data": data | changes}, wrong)


def told_of(*calls: Call) -> list[str]:
    return [f"{each.kind} {each.count}" for each in webhooks.compared(DONE, calls, WORLD) if each.count]


def test_launches_by_webhook_are_no_mails_and_are_told_like_all_others() -> None:
    assert differences([REQUEST], WORLD) == []
    assert [event.count for event in differences([replace(REQUEST, by_webhook=False)], WORLD)] == [2, 2]
    assert plainly_due(DONE, CAMPAIGNS[CALLED]) == {}
    assert CAMPAIGNS[WELCOME] not in SEEN.launches


@pytest.mark.parametrize(
    ("calls", "differs"),
    [
        ([call(0), call(1)], []),
        ([call(0), call(1, taken=False), call(1)], []),
        ([call(0)], ["lost 1"]),
        ([call(0), call(1, taken=False)], ["lost 1"]),
        ([call(0), call(1), Call("another", 101.0, True, call(0).content)], ["doubled 1"]),
        ([call(0), call(1), call(1, wrong="no signature")], ["wrong 1"]),
        ([call(0), call(1), call(1, link="added")], ["wrong 1"]),
        ([call(0), call(1, profile_id=ONE.hex())], ["wrong 1"]),
        ([call(0), call(1, custom_data={})], ["wrong 1"]),
        ([call(0, body={"profile": ""}), call(1)], ["wrong 1"]),
    ],
    ids=[
        "all",
        "again",
        "one is lost",
        "one is never taken",
        "stray",
        "unsigned",
        "changed",
        "other profile",
        "other custom_data",
        "empty",
    ],
)
def test_each_difference_of_webhooks_is_seen(calls: Sequence[Call], differs: list[str]) -> None:
    assert told_of(*calls) == differs


def test_a_webhook_that_was_taken_comes_again_only_after_a_fault_that_explains_it() -> None:
    again = [call(0, 100), call(0, 110)]

    assert [each.count for each in repeats(again, Chronicle())] == [1]
    assert repeats(again, Chronicle(strikes=[Strike("kill -9 a launcher", 98, 99)])) == []


A, B, C, D = (digest(name) for name in (b"a", b"b", b"c", b"d"))
TOLD = {1: {0: [A, B], 1: [C, D]}}


def post(id_: str, *events: bytes, account: int = 1, body: bytes = b"", wrong: str = "") -> Post:
    return Post(account, id_, body or b"".join(events), events, wrong)


@pytest.mark.parametrize(
    ("posts", "differs"),
    [
        ([post("1", A), post("2", C, D), post("3", B)], []),
        ([post("1", A, B), post("1", A, B), post("2", C, D), post("1", A, B)], []),
        ([], ["lost 4"]),
        ([post("1", A), post("2", C, D)], ["lost 1"]),
        ([post("1", B), post("2", A), post("3", C, D)], ["wrong 1"]),
        ([post("1", B, A), post("3", D, C)], ["wrong 2"]),
        ([post("1", A, B), post("2", B), post("3", C, D)], ["doubled 1"]),
        ([post("1", A, B), post("1", A, B, C), post("2", C, D)], ["wrong 1"]),
        ([post("1", A, B), post("1", A, B, body=b"other"), post("2", C, D)], ["wrong 1"]),
        ([post("1", A, B), post("2", C, D, wrong="no signature")], ["wrong 1"]),
        ([post("1", A, B), post("2", C), post("3", D, account=2)], ["lost 1", "doubled 1"]),
        ([post("1", A, B), post("2", C, D), post("3", digest(b"e"))], ["doubled 1"]),
    ],
    ids=[
        "in order",
        "again",
        "none",
        "lost",
        "posts turned",
        "events turned",
        "twice",
        "grown",
        "changed",
        "unsigned",
        "other's",
        "unknown",
    ],
)
def test_each_difference_of_hooks_is_seen(posts: Sequence[Post], differs: list[str]) -> None:
    assert [f"{each.kind} {each.count}" for each in hooks.compared(TOLD, posts) if each.count] == differs


def test_an_event_that_stands_twice_in_the_topic_reaches_its_hook_twice() -> None:
    twice = {1: {0: [A, A, B]}}

    assert not any(each.count for each in hooks.compared(twice, [post("1", A), post("2", A, B)]))
    assert [each.count for each in hooks.compared(twice, [post("1", A, B)]) if each.count] == [1]


def test_each_account_has_its_own_hook_and_the_one_that_is_counted_the_provider() -> None:
    things = wanted(read(outlets.file("http://a.test")))
    hooks_of = {key.account: thing.values["url"] for key, thing in things.items() if key.kind is Kind.HOOK}

    assert hooks_of == {account: f"http://a.test/hook/{account}" for account in (ACCOUNT, HOSTILE, POLITE)}
    assert Named(Kind.TRIGGER, ACCOUNT, CALLED) in things
    assert Named(Kind.PROVIDER, ACCOUNT, "caller") in things


LAUNCH = {"type": "launch", "timestamp": "2026-01-01T00:00:00Z", "data": {"launch_id": "1a"}}
EVENTS = b'[{"event_id":"1", "a": 1.0},{"event_id":"2"}]'


def posted(client: TestClient, path: str, secret: str, body: bytes, key: str = "1a", late: int = 0) -> int:
    headers = signed([secret], "1a", int(time.time()) - late, body)
    return client.post(path, content=body, headers={**headers, "Idempotency-Key": key}).status_code


@pytest.fixture
def taking(tmp_path: Path) -> Taking:
    return Taking(tmp_path, Random(1))  # noqa: S311  # it must be repeatable


def client_of(taking: Taking) -> TestClient:
    return TestClient(application(taking))


def test_what_no_receiver_would_take_is_noted_as_such(taking: Taking, tmp_path: Path) -> None:
    client, body = client_of(taking), json.dumps(LAUNCH).encode()
    statuses = [
        posted(client, "/launch", HOOK, body),
        posted(client, "/launch", PROVIDER, body, key="2b"),
        posted(client, "/launch", PROVIDER, body, late=3600),
        posted(client, "/hook/2", PROVIDER, EVENTS),
    ]
    taking.close()

    assert statuses == [401, 204, 401, 401]
    assert all(call.wrong for call in received.calls(tmp_path))
    assert all(post.wrong for post in received.posts(tmp_path))


def test_what_is_taken_is_noted_whole_but_for_its_moment(taking: Taking, tmp_path: Path) -> None:
    client = client_of(taking)
    for at in (1, 2):
        body = json.dumps(LAUNCH | {"timestamp": f"2026-01-01T00:00:0{at}Z"}).encode()
        assert posted(client, "/launch", PROVIDER, body) == 204
    assert posted(client, "/hook/2", HOOK, EVENTS) == 204
    taking.close()

    first, second = received.calls(tmp_path)
    (got,) = received.posts(tmp_path)
    assert (first.launch, first.is_taken, first.wrong, first.in_time) == ("1a", True, "", True)
    assert first.content == second.content == {"type": "launch", "data": {"launch_id": "1a"}}
    # As they stand there, and not as somebody would write them anew.
    assert got == Post(2, "1a", digest(EVENTS), (digest(b'{"event_id":"1", "a": 1.0}'), digest(b'{"event_id":"2"}')))


def test_what_came_when_it_may_have_been_given_up_is_taken_and_was_not_in_time(taking: Taking, tmp_path: Path) -> None:
    assert posted(client_of(taking), "/launch", PROVIDER, json.dumps(LAUNCH).encode(), late=outlets.PATIENCE) == 204
    taking.close()

    assert [(call.is_taken, call.in_time) for call in received.calls(tmp_path)] == [(True, False)]


@pytest.mark.parametrize(("mood", "status"), [(Mood.REFUSES, 503), (Mood.LIMITS, 429)])
def test_in_a_mood_it_refuses_some_and_notes_them_as_not_taken(taking: Taking, tmp_path: Path, mood: Mood, status: int) -> None:
    client, body = client_of(taking), json.dumps(LAUNCH).encode()
    taking.mood = mood
    statuses = [posted(client, "/launch", PROVIDER, body) for _ in range(20)]
    taking.close()

    assert set(statuses) == {204, status}
    assert [each.is_taken for each in received.calls(tmp_path)] == [each == 204 for each in statuses]


async def test_a_receiver_of_its_own_is_told_its_moods_and_has_noted_all_when_it_has_ended(tmp_path: Path) -> None:
    folder, body = tmp_path / "received", json.dumps(LAUNCH).encode()
    async with receiving(folder, "1") as receiver, plain_client(base_url=receiver.url) as client:
        statuses = []
        receiver.be(Mood.LIMITS)
        async with asyncio.timeout(20):
            while 429 not in statuses:
                headers = {**signed([PROVIDER], "1a", int(time.time()), body), "Idempotency-Key": "1a"}
                statuses.append((await client.post("/launch", content=body, headers=headers)).status_code)
            await receiver.stop()

    assert [each.is_taken for each in received.calls(folder)] == [status == 204 for status in statuses]
