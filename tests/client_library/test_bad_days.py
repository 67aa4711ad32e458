"""What a client does when the server refuses, delays, and falls silent; and what it does with input that is no good."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import anyio
import anyio.abc
import pytest

from profuse_client import AsyncClient, Client, Failed, GivenUp, Imported, Item, Limits, Options, Refused
from tests.client_library.both import Import, Result
from tests.client_library.server import TOKEN, Gateway, Got, Mood, Reply, refuse

# Small parts, so that a few profiles are several requests.
SMALL = Options(limits=Limits(profiles=10), patience=20)


ERASED = Reply(200, {"error": 0, "error_text": "Successful operation", "profile_id": "0a" * 12})


def people(count: int) -> Iterator[dict[str, Any]]:
    return ({"email": f"p{number}@bad.test"} for number in range(count))


def instead(reply: Reply | None) -> Mood:
    """Answered so, and nothing is done."""
    return lambda got, process: reply


def unheard(got: Got, process: Any) -> None:
    """It is done, and the answer lost."""
    process()


def check_each_once(gateway: Gateway, results: list[Result], count: int) -> None:
    assert [result.index for result in results] == list(range(count))
    assert all(isinstance(result, Imported) for result in results)
    assert gateway.imports == {f"p{number}@bad.test": 1 for number in range(count)}


@pytest.mark.promise("P-CLIENT-02")
def test_nobody_is_imported_by_no_request(imported: Import, gateway: Gateway) -> None:
    results: list[Result] = []
    imported(gateway.url, [], results)

    assert (results, gateway.got) == ([], [])


@pytest.mark.promise("P-CLIENT-01")
def test_one_profile_has_one_result(imported: Import, gateway: Gateway) -> None:
    results: list[Result] = []
    imported(gateway.url, people(1), results)

    check_each_once(gateway, results, 1)


@pytest.mark.promise("P-CLIENT-01", "P-CLIENT-02")
def test_results_come_in_the_order_of_the_input_whatever_is_answered_first(imported: Import, gateway: Gateway) -> None:
    def first_last(got: Got, process: Any) -> Any:
        if number_of(got) == 0:
            gateway.wait_for(5)
        return process()

    gateway.moods = [first_last] * 4
    results: list[Result] = []
    imported(gateway.url, people(95), results, options=SMALL)

    check_each_once(gateway, results, 95)
    assert [len(got.body["data"]) for got in gateway.got].count(10) == 9


@pytest.mark.promise("P-CLIENT-04")
def test_too_many_requests_are_sent_again_when_the_server_says(imported: Import, gateway: Gateway) -> None:
    gateway.moods = [instead(refuse(429, "Too many requests", after=1))] * 4
    results: list[Result] = []
    imported(gateway.url, people(100), results, options=SMALL)

    check_each_once(gateway, results, 100)
    refused, after = gateway.got[:4], gateway.got[4:]
    assert min(got.at for got in after) - min(got.at for got in refused) >= 1
    assert {got.request_id for got in refused} <= {got.request_id for got in after}


@pytest.mark.promise("P-CLIENT-05")
@pytest.mark.parametrize(
    "mood",
    [
        instead(refuse(503, "Temporarily unavailable", after=1)),
        instead(refuse(409, "Conflict", after=1, debug="Request-ID: a request with this id is being accepted")),
        instead(Reply(502, "<html>Bad gateway</html>")),
        instead(None),
        unheard,
    ],
    ids=["503", "409", "a proxy's 502", "closed before it was done", "closed after it was done"],
)
def test_what_may_pass_is_sent_again_under_the_same_id(imported: Import, gateway: Gateway, mood: Mood) -> None:
    gateway.moods = [mood]
    results: list[Result] = []
    imported(gateway.url, people(25), results, options=SMALL)

    check_each_once(gateway, results, 25)
    ids = [got.request_id for got in gateway.got]
    assert len(ids) == 4
    assert len(set(ids)) == 3
    # Nobody else had brought them, though the server may say so of what it had not been heard to answer.
    assert not any(result.repeated for result in results)


@pytest.mark.promise("P-CLIENT-05")
def test_a_server_that_does_not_answer_in_time_is_asked_again(imported: Import, gateway: Gateway) -> None:
    def silent(got: Got, process: Any) -> None:
        process()
        gateway.wait_for(2)

    gateway.moods = [silent]
    results: list[Result] = []
    imported(gateway.url, people(1), results, options=Options(answered_within=0.5))

    check_each_once(gateway, results, 1)
    assert not results[0].repeated


@pytest.mark.promise("P-CLIENT-08")
@pytest.mark.parametrize(
    "refusal", [(403, "No access", None), (400, "Invalid request", "trigger_id: must be an int"), (422, "Request-ID reused", None)]
)
def test_what_is_refused_as_a_whole_is_raised_in_the_servers_words(
    imported: Import, gateway: Gateway, refusal: tuple[int, str, str | None]
) -> None:
    error, text, debug = refusal
    gateway.moods = [lambda got, process: process() if number_of(got) < 2 else refuse(error, text, debug=debug)] * 100
    results: list[Result] = []
    with pytest.raises(Refused) as refused:
        imported(gateway.url, people(200), results, options=SMALL)

    assert (refused.value.error, refused.value.error_text, refused.value.error_debug) == (error, text, debug)
    # What comes before it is told first, and nothing is sent that comes long after.
    assert [result.index for result in results] == list(range(20))
    assert len(gateway.got) <= 8


def number_of(got: Got) -> int:
    return int(str(got.request_id).rpartition("-")[2])


@pytest.mark.promise("P-CLIENT-08")
def test_a_wrong_token_is_an_exception(imported: Import, gateway: Gateway) -> None:
    with pytest.raises(Refused, match="401 API token required"):
        imported(gateway.url, people(1), [], token="wrong")


@pytest.mark.promise("P-CLIENT-09")
def test_a_server_that_stays_away_is_given_up_with_what_goes_on_later(imported: Import, gateway: Gateway) -> None:
    gateway.moods = [instead(refuse(503, "Temporarily unavailable", after=1))] * 100
    with pytest.raises(GivenUp, match="503 Temporarily unavailable") as given_up:
        imported(gateway.url, people(1), [], options=Options(patience=1.5), run_id="monday")

    assert given_up.value.run_id == "monday"


@pytest.mark.promise("P-CLIENT-07")
def test_an_input_that_breaks_is_raised_behind_the_results_of_what_is_whole(imported: Import, gateway: Gateway) -> None:
    def broken() -> Iterator[dict[str, str]]:
        yield from people(25)
        raise OSError("the disk is gone")

    results: list[Result] = []
    with pytest.raises(OSError, match="the disk is gone"):
        imported(gateway.url, broken(), results, options=SMALL, run_id="broken")

    check_each_once(gateway, results, 20)
    results.clear()
    imported(gateway.url, people(30), results, options=SMALL, run_id="broken")
    check_each_once(gateway, results, 30)
    assert [result.repeated for result in results] == [True] * 20 + [False] * 10


@pytest.mark.promise("P-CLIENT-06")
@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ({"email": "a@b.test", "_fname": "x" * 11 * 1024 * 1024}, "Item too large"),
        ({"email": "a@b.test", "tags": {"a", "b"}}, "Cannot be sent: set is no JSON"),
        ({"email": "a@b.test", "ratio": float("nan")}, "Cannot be sent: Out of range float values are not JSON compliant"),
        ({"email": "a@b.test", "number": 10**5_000}, "Cannot be sent: Exceeds the limit"),
        ({"email": "a@b.test", "settings": eval("[" * 40 + "]" * 40)}, "Cannot be sent: nested too deeply"),  # noqa: S307
    ],
    ids=["11 MiB", "a set", "NaN", "5,000 digits", "40 levels"],
)
def test_what_cannot_be_sent_fails_alone(imported: Import, gateway: Gateway, profile: dict[str, Any], text: str) -> None:
    results: list[Result] = []
    imported(gateway.url, [*people(2), profile, Item({"email": "p2@bad.test"}, custom_data={"row": 3})], results)

    failed = results.pop(2)
    assert isinstance(failed, Failed)
    assert (failed.index, failed.error, failed.error_text[: len(text)]) == (2, 400, text)
    assert [result.index for result in results] == [0, 1, 3]
    assert gateway.got[0].body["data"][2] == {"data": {"email": "p2@bad.test"}, "custom_data": {"row": 3}}


class Detached(Mapping[str, Any]):
    """A row of a database that is closed."""

    def __getitem__(self, key: str) -> Any:
        raise LookupError(f"{key} is not loaded")

    def __iter__(self) -> Iterator[str]:
        return iter(["email"])

    def __len__(self) -> int:
        return 1


class Unprintable(Decimal):
    def __str__(self) -> str:
        raise OSError


@pytest.mark.promise("P-CLIENT-06")
@pytest.mark.parametrize(
    ("item", "text"),
    [
        (Detached(), "Cannot be sent: LookupError: email is not loaded"),
        (Item({}, keys=Detached()), "Cannot be sent: LookupError: email is not loaded"),
        (Item({}, custom_data=Detached()), "Cannot be sent: LookupError: email is not loaded"),
        (Item({}, keys=None), "Cannot be sent: TypeError: 'NoneType' object is not a mapping"),  # type: ignore[arg-type]
        ({"sum": Unprintable(1)}, "Cannot be sent: OSError"),
    ],
    ids=["a row", "its keys", "its custom_data", "no keys", "a number"],
)
def test_an_item_that_raises_while_it_is_written_fails_alone(imported: Import, gateway: Gateway, item: Any, text: str) -> None:
    results: list[Result] = []
    imported(gateway.url, [*people(25), item, *people(25)], results, options=SMALL)

    assert results.pop(25) == Failed(25, 400, text)
    assert [type(result) for result in results] == [Imported] * 50


class TimeIsUp(Exception):
    """As a queue's worker raises it from a signal handler, wherever its job stands."""


class Interrupted(Detached):
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getitem__(self, key: str) -> Any:
        raise self._error


@pytest.mark.promise("P-CLIENT-07")
@pytest.mark.parametrize("error", [TimeIsUp("job 7"), TimeoutError("job 7"), MemoryError("job 7")], ids=lambda error: type(error).__name__)
def test_what_no_item_raises_by_itself_ends_the_run_behind_the_results_of_what_is_whole(
    imported: Import, gateway: Gateway, error: Exception
) -> None:
    results: list[Result] = []
    with pytest.raises(type(error), match="job 7"):
        imported(gateway.url, [*people(25), Interrupted(error), *people(25)], results, options=SMALL)

    assert [result.index for result in results] == list(range(20))
    assert len(gateway.got) == 2


def test_an_item_that_raises_what_ends_an_input_does_not_end_it_silently(imported: Import, gateway: Gateway) -> None:
    for end in (StopIteration("a bug"), StopAsyncIteration("a bug")):
        with pytest.raises((StopAsyncIteration, RuntimeError)):
            imported(gateway.url, [*people(5), Interrupted(end), *people(5)], [], options=SMALL)


@pytest.mark.promise("P-CLIENT-06")
def test_profiles_that_all_fail_have_a_result_each(imported: Import, gateway: Gateway) -> None:
    results: list[Result] = []
    imported(gateway.url, ({"email": "nobody"} for _ in range(25)), results, options=SMALL)

    assert results == [Failed(index, 400, "Incorrect email", "email") for index in range(25)]


@pytest.mark.promise("P-CLIENT-03")
def test_no_more_requests_are_sent_at_once_than_were_asked_for(imported: Import, gateway: Gateway) -> None:
    imported(gateway.url, people(200), [], options=Options(limits=Limits(profiles=5), parallel=3))

    assert gateway.most_at_once <= 3


@pytest.mark.promise("P-CLIENT-02")
def test_what_is_sent_is_within_the_bytes(imported: Import, gateway: Gateway) -> None:
    options = Options(limits=Limits(profiles=10_000, bytes=5_000))
    results: list[Result] = []
    imported(
        gateway.url, ({"email": f"p{number}@bad.test", "_fname": "я" * (number % 300)} for number in range(300)), results, options=options
    )

    check_each_once(gateway, results, 300)
    assert all(got.size <= 5_000 for got in gateway.got)
    assert len(gateway.got) < 60


def test_a_client_that_is_left_early_ends_its_requests(gateway: Gateway) -> None:
    with Client(gateway.url, TOKEN, SMALL) as client:
        first = next(client.import_and_start(people(1_000_000), trigger=8))

    assert first.index == 0
    assert len(gateway.got) <= 9


def test_a_connection_that_is_made_while_a_client_closes_is_closed_too(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    connecting, closed, made = threading.Event(), threading.Event(), list[socket.socket]()
    connect = socket.create_connection

    def late(*where: Any, **how: Any) -> socket.socket:
        connecting.set()
        assert closed.wait(10)
        made.append(connect(*where, **how))
        return made[-1]

    monkeypatch.setattr(socket, "create_connection", late)
    client = Client(gateway.url, TOKEN, SMALL)
    gateway.moods = [instead(ERASED)]
    asking = threading.Thread(target=client.delete, args=(1,), kwargs={"email": "ann@bad.test"})
    asking.start()
    assert connecting.wait(10)
    client.close()
    closed.set()
    asking.join(10)

    assert [connection.fileno() for connection in made] == [-1]


async def test_nor_does_an_async_client_leave_one_behind(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    connecting, closed, made = asyncio.Event(), asyncio.Event(), list[anyio.abc.SocketStream]()
    connect = anyio.connect_tcp

    async def late(*where: Any, **how: Any) -> anyio.abc.SocketStream:
        connecting.set()
        await closed.wait()
        made.append(await connect(*where, **how))
        return made[-1]

    monkeypatch.setattr(anyio, "connect_tcp", late)
    client = AsyncClient(gateway.url, TOKEN, SMALL)
    gateway.moods = [instead(ERASED)]
    asking = asyncio.create_task(client.delete(1, email="ann@bad.test"))
    await connecting.wait()
    await client.close()
    closed.set()
    await asking

    with pytest.raises(anyio.ClosedResourceError):
        await made[0].send(b"")


def test_an_answer_that_a_proxy_damaged_is_asked_for_again(imported: Import, gateway: Gateway) -> None:
    gateway.moods = [instead(Reply(200, "not packed", {"Content-Encoding": "gzip"}))]
    results: list[Result] = []
    imported(gateway.url, people(1), results)

    check_each_once(gateway, results, 1)


@pytest.mark.promise("P-CLIENT-05")
def test_a_question_that_was_cut_is_asked_again_under_the_same_id(gateway: Gateway) -> None:
    gateway.moods = [lambda *_: None, instead(ERASED)]
    with Client(gateway.url, TOKEN, SMALL) as client:
        assert client.delete(1, email="ann@bad.test") == "0a" * 12

    first, again = [got.request_id for got in gateway.got]
    assert first is not None
    assert again == first
