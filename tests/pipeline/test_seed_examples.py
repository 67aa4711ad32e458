"""The documentation's own examples, as they are printed there."""

import re
from pathlib import Path

import pytest

from tests.pipeline.stack import BATCH, TOKEN, Stack

SEED = Path(__file__).with_name("seed")


@pytest.mark.promise("P-BATCH-01", "P-HTTP-02", "P-BATCH-03", "P-BATCH-04")
@pytest.mark.parametrize("example", ["by_email", "by_custom_field"])
def test_an_example_of_the_documentation_gets_the_documented_answer(pipeline: Stack, example: str) -> None:
    answer = pipeline.send(BATCH, (SEED / f"{example}.json").read_bytes())

    assert answer.status == 200
    assert answer.body == {"error": 0, "error_text": "Successful operation", "result": answer.body["result"]}
    assert [list(entry) for entry in answer.body["result"]] == [["profile_id"], ["profile_id"]]
    assert all(re.fullmatch(r"[0-9a-f]{24}", entry["profile_id"]) for entry in answer.body["result"])


@pytest.mark.promise("P-HTTP-28", "P-DATA-15", "P-SUBS-08")
def test_profiles_get_shows_what_an_example_wrote(pipeline: Stack) -> None:
    result = pipeline.send(BATCH, (SEED / "by_custom_field.json").read_bytes()).body["result"]

    assert pipeline.profile(result[0]["profile_id"]) == {
        "_id": result[0]["profile_id"],
        "_fname": "NUMBER1",
        "_lname": "Lambert",
        "email": "profile01@example.com",
        "phones": ["+790000000000"],
        "New_field_1": "0002",
        "subscriptions": [],
    }


@pytest.mark.promise("P-MATCH-08")
def test_an_example_that_is_sent_again_updates_the_same_profiles(pipeline: Stack) -> None:
    example = (SEED / "by_email.json").read_bytes()

    assert pipeline.send(BATCH, example).body == pipeline.send(BATCH, example).body


@pytest.mark.promise("P-HTTP-10", "P-HTTP-03")
def test_a_body_over_the_limit_gets_the_documented_400(pipeline: Stack) -> None:
    answer = pipeline.raw(BATCH, b'{"token": "%s", "data": [' % TOKEN.encode() + b" " * (10 * 1024 * 1024))

    assert answer.status_code == 400
    assert answer.content == b'{"error":400,"error_debug":"http: request body too large","error_text":"Invalid request"}'
