"""Requests in the shapes that public clients of the original send, with invented values: each gets the answer that its client reads."""

import re
from typing import Any

import pytest

from tests.pipeline.stack import Json, Stack

ID = "<id>"

_IN_MESSENGERS = [
    {"resource_id": number, "channel": channel, "cc_data": address, "status": "subscribed", "priority": 0}
    for number, channel, address in (
        (30, "telegram_bot", {"id": 281_234_567}),
        (32, "whatsapp", {"phone": "+79050000004"}),
        (33, "viber", {"phone": "+79050000004"}),
        (34, "notify", {"phone": "+79050000004"}),
    )
]

# what sends it: (path, the request without its token, the answer with ids as <id>, what is stored of the last profile)
REPLAYED: dict[str, tuple[str, Json, Json, Json]] = {
    "a shell script that exports a table": (
        "profiles/import_batch",
        {
            "db_id": 1,
            "matching": "phone",
            "data": [
                {
                    "phones": ["+79050000001"],
                    "_fname": "Анна",
                    "_sex": 2,
                    "_bdate": "1990-05-17",
                    "_regdate": "2024-03-01T10:20:30.123456",
                    "interests": ["чай", "книги"],
                    "New_field_1": "A-1",
                },
                {"phones": ["+79050000002"], "_fname": "Пётр", "_sex": 1, "_bdate": "1985-01-31", "_regdate": "2024-03-01 10:20:30"},
            ],
        },
        {"error": 0, "error_text": "Successful operation", "result": [{"profile_id": ID}, {"profile_id": ID}]},
        {"_fname": "Пётр", "_sex": "male", "_bdate": "1985-01-31", "_regdate": "2024-03-01T10:20:30Z", "phones": ["+79050000002"]},
    ),
    "a typed client that writes null for what it does not have": (
        "profiles/import",
        {
            "db_id": 1,
            "matching": "phone",
            "field_name": "phone",
            "field_value": None,
            "detect_geo": True,
            "skip_triggers": None,
            "data": {
                "email": None,
                "phones": ["+79050000003"],
                "_fname": "Ivan",
                "_lname": None,
                "_regdate": 1_709_288_430_000,
                "_bdate": 643_593_600_000,
                "subscriptions": None,
            },
        },
        {"error": 0, "error_text": "Successful operation", "profile_id": ID},
        {"_fname": "Ivan", "_regdate": "2024-03-01T10:20:30Z", "_bdate": "1990-05-25", "phones": ["+79050000003"]},
    ),
    "a mailer that sends one letter": (
        "campaigns/triggers/import_and_start",
        {
            "db_id": 1,
            "trigger_id": 455,
            "matching": "custom",
            "field_name": "New_field_1",
            "field_value": "contract-77",
            "data": {
                "email": "letter@clients.test",
                "subscriptions": [
                    {"channel": "email", "resource_id": 24, "status": 0, "email_data": {"email": "Letter@clients.test"}},
                ],
            },
            "content": {"number": "77", "url": "https://example.com/?a=1&b=2"},
            "attach": [{"name": "Договор № 77.pdf", "data": "data:application/pdf;base64,JVBERi0xLjQK"}],
        },
        {"error": 0, "error_text": "Successful operation", "profile_id": ID},
        {
            "email": "letter@clients.test",
            "New_field_1": "contract-77",
            "subscriptions": [
                {"resource_id": 24, "channel": "email", "email": "letter@clients.test", "status": "subscribed", "priority": 0},
            ],
        },
    ),
    "a collection of a guide, messengers without a resource": (
        "profiles/import/",
        {
            "db_id": 1,
            "matching": "email",
            "data": {
                "email": "messengers@clients.test",
                "subscriptions": [
                    {"channel": "telegram_bot", "cc_data": {"id": 281_234_567}},
                    {"channel": "whatsapp", "cc_data": {"phone": "+79050000004"}, "status": "subscribed"},
                    {"channel": "viber", "cc_data": {"phone": "+79050000004"}, "priority": None},
                    {"channel": "notify", "cc_data": {"phone": "+79050000004"}},
                ],
            },
        },
        {"error": 0, "error_text": "Successful operation", "profile_id": ID},
        {
            "email": "messengers@clients.test",
            "subscriptions": _IN_MESSENGERS,
        },
    ),
    "a bot that knows its people by their ids": (
        "profiles/import",
        {"db_id": 1, "matching": "custom_sub", "field_name": "id", "field_value": "281234567", "data": {"_fname": "Bot's friend"}},
        {"error": 0, "error_text": "Successful operation", "profile_id": ID},
        {
            "email": "messengers@clients.test",
            "_fname": "Bot's friend",
            "subscriptions": _IN_MESSENGERS,
        },
    ),
    "a collection of a guide": (
        "profiles/import/",
        {
            "db_id": 1,
            "matching": "email",
            "skip_triggers": True,
            "data": {
                "email": "guide@clients.test",
                "_os": "Android 14",
                "_sex": 0,
                "subscriptions": [
                    {
                        "resource_id": 24,
                        "channel": "email",
                        "email_data": {"email": "guide@clients.test"},
                        "custom_fields": {"size": "XL"},
                        "cats": ["news"],
                        "priority": 1,
                        "status": "subscribed",
                    },
                ],
            },
        },
        {"error": 0, "error_text": "Successful operation", "profile_id": ID},
        {
            "email": "guide@clients.test",
            "_os": "Android 14",
            "subscriptions": [
                {
                    "resource_id": 24,
                    "channel": "email",
                    "email": "guide@clients.test",
                    "status": "subscribed",
                    "priority": 1,
                    "custom_fields": {"size": "XL"},
                    "cats": ["news"],
                },
            ],
        },
    ),
}


@pytest.mark.promise("P-FAMILY-10")
@pytest.mark.parametrize("client", REPLAYED)
def test_a_public_clients_request_gets_the_answer_that_it_reads(pipeline: Stack, client: str) -> None:
    path, body, expected, stored = REPLAYED[client]
    answer = pipeline.post(path, **body)
    ids: list[str] = []

    assert (answer.status, _without_ids(answer.body, ids)) == (200, expected), answer.body
    assert pipeline.profile(ids[-1]) == {"_id": ids[-1], "subscriptions": [], **stored}


@pytest.mark.promise("P-FAMILY-10")
def test_a_page_starts_a_campaign_for_a_profile_that_it_knows(pipeline: Stack) -> None:
    profile = pipeline.post("profiles/import", db_id=1, data={"email": "page@clients.test"}).body["profile_id"]
    answer = pipeline.post("campaigns/triggers/start/", format="json", id="8", matching="profile_id", profile_id=profile)

    assert answer.body == {"error": 0, "error_text": "Successful operation", "profile_id": profile}


@pytest.mark.promise("P-FAMILY-10")
def test_a_tool_lists_databases(pipeline: Stack) -> None:
    answer = pipeline.post("databases/list/", limit=100)

    assert answer.body["data"] == [{"id": 1, "name": "Customers"}, {"id": 2, "name": "Partners"}]


@pytest.mark.promise("P-FAMILY-10", "P-FAMILY-08")
def test_segments_of_a_guide_are_refused_by_name(pipeline: Stack) -> None:
    answer = pipeline.post("profiles/import", db_id=1, add_to_segments=[3], data={"email": "guide@clients.test"})

    assert answer.body["error_debug"] == "add_to_segments: unknown parameter"


def _without_ids(body: Any, ids: list[str]) -> Any:
    """The same with each id replaced, and the ids."""
    match body:
        case dict():
            return {name: _without_ids(value, ids) for name, value in body.items()}
        case list():
            return [_without_ids(each, ids) for each in body]
        case str() if re.fullmatch(r"[0-9a-f]{24}", body):
            ids.append(body)
            return ID
    return body
