"""Both clients on a real pipeline: what the limits and the words of the server mean for them."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from profuse_client import Client, Failed, File, Imported, Limits, Options, Refused
from tests.client_library.both import Import, Result
from tests.pipeline.stack import TOKEN, Stack
from tests.pipeline.waiting import eventually

MIB = 1024 * 1024


@pytest.fixture
def url(pipeline: Stack) -> str:
    return f"http://127.0.0.1:{pipeline.gateway.port}"


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url, TOKEN) as opened:
        yield opened


@pytest.mark.promise("P-CLIENT-01", "P-CLIENT-06")
def test_a_large_profile_and_bad_ones_fail_between_good_ones(imported: Import, url: str) -> None:
    people: list[Any] = [
        {"email": "one@client.test"},
        {"email": "two@client.test", "_fname": "x" * 300_000},
        {"email": "three"},
        "nobody",
        {"email": "four@client.test", "_fname": "\ud800"},
        {"email": "five@client.test"},
    ]
    results: list[Result] = []
    imported(url, people, results)

    assert results[1:5] == [
        Failed(1, 400, "Item too large"),
        Failed(2, 400, "Incorrect email", "email"),
        Failed(3, 400, "Incorrect object", "data"),
        Failed(4, 400, "Text cannot be stored", "_fname"),
    ]
    assert [(type(result), result.index) for result in results[::5]] == [(Imported, 0), (Imported, 5)]


@pytest.mark.promise("P-CLIENT-02")
def test_requests_at_the_very_limit_of_bytes_are_taken(imported: Import, url: str) -> None:
    results: list[Result] = []
    imported(url, ({"email": f"full-{number}@client.test", "_lname": "я" * 100_000} for number in range(60)), results)

    assert sum(isinstance(result, Imported) for result in results) == 60


@pytest.mark.promise("P-CLIENT-02")
def test_files_larger_than_a_plain_request_go_with_it(imported: Import, url: str) -> None:
    results: list[Result] = []
    imported(url, [{"email": "file@client.test"}], results, attach=File("large.bin", bytes(9 * MIB)), timeout={"days": 1})

    assert [type(result) for result in results] == [Imported]


@pytest.mark.promise("P-CLIENT-08")
@pytest.mark.parametrize(
    ("token", "trigger", "words"),
    [("wrong", 8, "401 API token required"), ("reader-token", 8, "403 No access"), (TOKEN, 999, "404 Not found: trigger_id")],
)
def test_a_request_that_is_refused_is_an_exception(imported: Import, url: str, token: str, trigger: int, words: str) -> None:
    with pytest.raises(Refused, match=words):
        imported(url, [{"email": "refused@client.test"}], [], token=token, trigger=trigger)


@pytest.mark.promise("P-CLIENT-07")
def test_a_run_goes_on_where_another_ended(imported: Import, url: str, request: pytest.FixtureRequest) -> None:
    run_id, options = request.node.name, Options(limits=Limits(profiles=10))
    who = request.node.callspec.id

    def counted(upto: int) -> list[dict[str, Any]]:
        return [{"email": f"{who}-{number}@client.test", "number": {"action": "incr", "value": 1}} for number in range(upto)]

    before: list[Result] = []
    after: list[Result] = []
    imported(url, counted(30), before, run_id=run_id, options=options)
    imported(url, counted(50), after, run_id=run_id, options=options)

    assert [result.repeated for result in after] == [True] * 30 + [False] * 20
    assert [result.profile_id for result in after[:30]] == [result.profile_id for result in before]  # type: ignore[union-attr]
    with Client(url, TOKEN) as client:
        assert {client.get(1, email=f"{who}-{number}@client.test")["number"] for number in (0, 29, 49)} == {1}


def test_one_profile_is_shown_and_erased_and_a_task_looked_up(client: Client, pipeline: Stack) -> None:
    (made,) = client.import_profiles([{"email": "shown@client.test"}], db_id=1)
    assert isinstance(made, Imported)
    task = client.status(pipeline.last_task())

    assert client.get(1, email="shown@client.test")["_id"] == made.profile_id
    assert (task.status, task.progress, task.counts["imported"]) == ("completed", 100, 1)
    assert task.items == [{"profile_id": made.profile_id}]
    with pytest.raises(Refused, match="403 No access"):
        client.delete(1, email="shown@client.test")


@pytest.mark.promise("P-CLIENT-05")
def test_a_task_that_takes_longer_is_followed_to_its_end(imported: Import, pipeline: Stack, caplog: pytest.LogCaptureFixture) -> None:
    results: list[Result] = []
    with pipeline.another_gateway(PROFUSE_REPLY_DEADLINE="PT1S") as hurried, caplog.at_level(logging.INFO, "profuse_client"):
        pipeline.matchers[0].freeze()
        url = f"http://127.0.0.1:{hurried.port}"
        run = threading.Thread(target=imported, args=(url, [{"email": f"later-{number}@client.test"} for number in range(100)], results))
        run.start()
        try:
            eventually(lambda: "is being processed" in caplog.text, 20, lambda: "the answer is 202")
        finally:
            pipeline.matchers[0].thaw()
        run.join()

    assert [type(result) for result in results] == [Imported] * 100
    assert [result.index for result in results] == list(range(100))
