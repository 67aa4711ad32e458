"""What bad input gets: each row is a request or an item, and the answer that the contract gives it."""

import json
from typing import Any

import pytest

from tests.pipeline.stack import BATCH, TOKEN, Json, Stack

GOOD = {"data": {"_fname": "Ann", "email": "ann@good.test"}}
REMOVED = object()


def request(**changes: Any) -> bytes:
    """A good request but for the changes."""
    body = {"token": TOKEN, "trigger_id": 8, "skip_triggers": True, "data": [GOOD]} | changes
    return json.dumps({name: value for name, value in body.items() if value is not REMOVED}).encode()


def nested(levels: int) -> Any:
    return [] if levels == 1 else [nested(levels - 1)]


def written(body: str) -> bytes:
    """The insides of a request, as they are written here."""
    return f'{{"token": "{TOKEN}", {body}}}'.encode()


def with_page(page: str) -> bytes:
    """A good request but for what its `content` holds."""
    return written(f'"trigger_id": 8, "skip_triggers": true, "content": {{"page": {page}}}, "data": [{json.dumps(GOOD)}]')


INVALID = (400, "Invalid request")
DEVICE = {"matching": "push_sub", "provider": "ios-apns", "subscription_id": "a"}

# what is wrong: (the request, (HTTP status and `error`, `error_text`), what `error_debug` names)
REFUSED: dict[str, tuple[bytes, tuple[int, str], str]] = {
    "no JSON": (b'{"token": ', INVALID, "truncated"),
    "no UTF-8": (b'{"token": "\xff"}', INVALID, "UTF-8"),
    "no object": (b"[]", INVALID, "object"),
    "nothing at all": (b"", INVALID, "truncated"),
    "NaN": (written('"trigger_id": 8, "data": [{"data": {"email": "a@b.test", "ratio": NaN}}]'), INVALID, "malformed"),
    "Infinity": (written('"trigger_id": 8, "data": [{"data": {"email": "a@b.test", "ratio": -Infinity}}]'), INVALID, "malformed"),
    "a number that overflows": (
        written('"trigger_id": 8, "data": [{"data": {"email": "a@b.test", "ratio": 1e999}}]'),
        INVALID,
        "out of range",
    ),
    "a number of 4,301 digits": (with_page("1" * 4_301), INVALID, "a number has more than 4300 digits"),
    "a negative number of 4,300 digits": (with_page("-" + "1" * 4_300), INVALID, "a number has more than 4300 digits"),
    "a number of ten million digits": (with_page("1" * 10_000_000), INVALID, "a number has more than 4300 digits"),
    # The root is level 1 and `content` level 2.
    "33 levels": (request(content={"page": nested(31)}), INVALID, "there are more than 32 levels"),
    "a million levels": (with_page("[" * 1_000_000 + "]" * 1_000_000), INVALID, "there are more than 32 levels"),
    "an unknown parameter": (request(trigger=8), INVALID, "trigger: unknown parameter"),
    "no trigger_id": (request(trigger_id=REMOVED), INVALID, "trigger_id"),
    "trigger_id as text": (request(trigger_id="8"), INVALID, "trigger_id"),
    "trigger_id as a float": (written('"trigger_id": 8.0, "data": [{"data": {"email": "a@b.test"}}]'), INVALID, "trigger_id"),
    "trigger_id as a bool": (request(trigger_id=True), INVALID, "trigger_id"),
    "skip_triggers as an int": (request(skip_triggers=1), INVALID, "skip_triggers"),
    "skip_invalid_subscriptions as text": (request(skip_invalid_subscriptions="true"), INVALID, "skip_invalid_subscriptions"),
    "detect_geo as text": (request(detect_geo="yes"), INVALID, "detect_geo"),
    "another format": (request(format="xml"), INVALID, "format"),
    "an unknown matching": (request(matching="telepathy"), INVALID, "matching"),
    "a matching mode in other letters": (request(matching="EMAIL"), INVALID, "matching"),
    "a negative timeout": (request(timeout={"minutes": -1}), INVALID, "timeout"),
    "a timeout over 365 days": (request(timeout={"days": 365, "minutes": 1}), INVALID, "timeout"),
    "a timeout in fractions": (request(timeout={"minutes": 0.5}), INVALID, "timeout"),
    "a timeout with an unknown part": (request(timeout={"weeks": 1}), INVALID, "timeout"),
    "a timeout that is a number": (request(timeout=5), INVALID, "timeout"),
    "content that is text": (request(content="page"), INVALID, "content"),
    "custom_data that is a list": (request(custom_data=[]), INVALID, "custom_data"),
    "content over 256 KiB": (request(content={"page": "x" * 256 * 1024}), INVALID, "content"),
    "custom_data over 16 KiB": (request(custom_data={"page": "x" * 16 * 1024}), INVALID, "custom_data"),
    "content that is longer than anything that fits": (request(content={"page": [0] * 2_000_000}), INVALID, "content"),
    "a list where text belongs": (request(email=[0] * 100_000), INVALID, "email"),
    "101 files": (request(attach=[{"name": "a.txt", "data": "data:text/csv;base64,SEVMTE8K"}] * 101), INVALID, "attach"),
    "files that are none": (request(attach=[0]), INVALID, "attach"),
    "an unknown part of a file": (request(attach={"name": "a", "data": "data:;base64,", "size": 1}), INVALID, "attach.0.size"),
    "attach without a data URI": (request(attach=[{"name": "a.txt", "data": "SEVMTE8K"}]), INVALID, "attach"),
    "attach with broken base64": (request(attach=[{"name": "a.txt", "data": "data:text/csv;base64,#"}]), INVALID, "attach"),
    "attach without a name": (request(attach={"data": "data:text/csv;base64,SEVMTE8K"}), INVALID, "attach"),
    "custom without a field_name": (request(matching="custom"), INVALID, "field_name"),
    "custom_sub without a field_name": (request(matching="custom_sub"), INVALID, "field_name"),
    "a field_name that is not declared": (request(matching="custom", field_name="nobody"), INVALID, "field_name"),
    "a field_name that is not matchable": (request(matching="custom", field_name="plan"), INVALID, "field_name"),
    "resource_id as text": (request(resource_id="24"), INVALID, "resource_id"),
    "no data": (request(data=REMOVED), INVALID, "data"),
    "empty data": (request(data=[]), INVALID, "data"),
    "data that is an object": (request(data=GOOD), INVALID, "data"),
    "100,001 items": (request(data=[0] * 100_001), INVALID, "data: more than 100000 items"),
    "NUL at the root": (request(content={"page": "a\0b"}), INVALID, "content"),
    "a lone surrogate at the root": (request(content={"page": "\ud800"}), INVALID, "content"),
    "no token": (request(token=REMOVED), (401, "API token required"), ""),
    "an unknown token": (request(token="nobody"), (401, "API token required"), ""),
    "an expired token": (request(token="expired-token"), (401, "API token required"), ""),
    "a revoked token": (request(token="revoked-token"), (401, "API token required"), ""),
    "a token that may only read": (request(token="reader-token"), (403, "No access"), ""),
    "a trigger that does not exist": (request(trigger_id=1234), (404, "Not found"), "trigger_id"),
    "a trigger of another account": (request(trigger_id=99), (404, "Not found"), "trigger_id"),
    "a trigger beyond 64 bits": (request(trigger_id=2**70), (404, "Not found"), "trigger_id"),
    "a resource that does not exist": (request(resource_id=1234), (404, "Not found"), "resource_id"),
    "a resource of another account": (request(resource_id=77), (404, "Not found"), "resource_id"),
    "a resource of another channel": (request(resource_id=25), INVALID, "resource_id"),
    "a resource of another database": (request(resource_id=35), INVALID, "resource_id"),
    "a device's resource that does not exist": (request(**DEVICE, resource_id=1234), (404, "Not found"), "resource_id"),
    "a device's resource of another channel": (
        request(**DEVICE, resource_id=24),
        INVALID,
        "resource_id: the resource's channel is email, not push",
    ),
    "a device's resource of another database": (request(**DEVICE, resource_id=36), INVALID, "resource_id"),
    "a database that does not exist": (request(db_id=1234), (404, "Not found"), "db_id"),
    "an inactive trigger": (request(trigger_id=9), (409, "Conflict"), "trigger_id: the trigger is inactive"),
    "a trigger that imports start": (request(trigger_id=456), (409, "Conflict"), "trigger_id: the trigger is not of the type api_call"),
    "a trigger that changes start": (request(trigger_id=457), (409, "Conflict"), "trigger_id: the trigger is not of the type api_call"),
    "several mistakes: the token counts before the trigger": (request(token="nobody", trigger_id=9), (401, "API token required"), ""),
    "several mistakes: parameters count before the trigger": (request(matching="?", trigger_id=9), INVALID, "matching"),
}


@pytest.mark.promise("P-HTTP-03", "P-HTTP-04", "P-HTTP-05", "P-HTTP-06", "P-HTTP-07", "P-HTTP-08", "P-HTTP-14", "P-HTTP-15")
@pytest.mark.promise("P-HTTP-16", "P-HTTP-19", "P-HTTP-21", "P-HTTP-23", "P-HTTP-27", "P-OPS-11")
@pytest.mark.promise("P-BATCH-26")
@pytest.mark.promise("P-BATCH-07", "P-BATCH-09", "P-BATCH-12", "P-BATCH-14", "P-BATCH-15", "P-BATCH-16", "P-BATCH-22")
@pytest.mark.parametrize("what", REFUSED)
def test_a_bad_request_is_refused(pipeline: Stack, what: str) -> None:
    body, (error, error_text), named = REFUSED[what]
    before = pipeline.last_task()
    answer = pipeline.send(BATCH, body)

    assert (answer.status, answer.body["error"], answer.body["error_text"]) == (error, error, error_text)
    assert answer.body.keys() <= {"error", "error_text", "error_debug"}
    assert named in answer.body.get("error_debug", "")
    assert pipeline.last_task() == before


# Of 240 KiB, and of ten times as much where each number has a line of its own.
GRID = [[number % 10 for number in range(100)] for _ in range(1_200)]

# what is just within a limit
ACCEPTED: dict[str, bytes] = {
    # The root, `data`, the item, its `data` and `settings` are five levels.
    "32 levels": request(data=[{"data": {"email": "deep@good.test", "settings": {"deep": nested(27)}}}]),
    "a number of 4,300 digits": request(content={"page": 10**4_299}),
    "a negative number of 4,299 digits": request(content={"page": -(10**4_298)}),
    "a timeout of 365 days": request(timeout={"days": 364, "hours": 23, "minutes": 60}),
    "a timeout of nothing": request(timeout={}),
    "a timeout of null": request(timeout=None),
    "custom_data of 15 KiB": request(custom_data={"page": "x" * 15 * 1024}),
    "null for what is not given": request(
        **dict.fromkeys(("skip_triggers", "content", "custom_data", "attach", "email", "resource_id", "format", "matching", "db_id")),
        timeout={"days": None, "minutes": 5},
        data=[{"data": {"email": "null@good.test"}, "email": None, "custom_data": None}],
    ),
    "a file with a type of null": request(attach={"name": "a.txt", "data": "data:text/csv;base64,SEVMTE8K", "mimetype": None}),
    "the trigger's own database": request(db_id=1),
    "indented content, and an indented item": json.dumps(
        json.loads(request(content={"grid": GRID}, data=[{"data": {"email": "grid@good.test", "settings": {"grid": GRID}}}])), indent=4
    ).encode(),
    "content of 255 KiB": request(content={"page": "x" * 255 * 1024}),
    "an item of 255 KiB": request(data=[{"data": {"email": "large@good.test", "_fname": "x" * 255 * 1024}}]),
    "text that spells an escape": request(data=[{"data": {"email": "escape@good.test", "_fname": "\\u0000 \\ud800"}}]),
    "a surrogate pair": request(data=[{"data": {"email": "pair@good.test", "_fname": "\U0001f600"}}]),
    "an ignored resource": request(matching="email_profile", resource_id=1234),
    "one attached file": request(attach={"name": "a.txt", "data": "data:text/csv;base64,SEVMTE8K"}),
}


@pytest.mark.promise(
    "P-HTTP-05", "P-HTTP-06", "P-HTTP-13", "P-HTTP-14", "P-BATCH-08", "P-BATCH-09", "P-BATCH-15", "P-BATCH-16", "P-DATA-16"
)
@pytest.mark.promise("P-BATCH-26", "P-BATCH-28")
@pytest.mark.parametrize("what", ACCEPTED)
def test_what_is_just_within_a_limit_is_accepted(pipeline: Stack, what: str) -> None:
    answer = pipeline.send(BATCH, ACCEPTED[what])

    assert (answer.status, answer.body["error"]) == (200, 0)
    assert [list(entry) for entry in answer.body["result"]] == [["profile_id"]]


TOO_LARGE = "x" * 256 * 1024


def with_field(name: str, value: Any) -> Json:
    return {"email": "bad@bad.test", "data": {name: value}}


def with_subscription(**subscription: Any) -> Json:
    return with_field("subscriptions", [subscription])


def failed(error_text: str, field: str) -> Json:
    return {"error": 400, "error_text": error_text, "field": field}


def incorrect(what: str, field: str) -> Json:
    return failed(f"Incorrect {what}", field)


# what is wrong: (the item, its entry in `result`)
BAD_ITEMS: dict[str, tuple[Any, Json]] = {
    "no object": (5, {"error": 400, "error_text": "Incorrect object"}),
    "no data": ({"email": "bad@bad.test"}, {"error": 400, "error_text": "Incorrect object", "field": "data"}),
    "data that is a list": ({"email": "bad@bad.test", "data": []}, {"error": 400, "error_text": "Incorrect object", "field": "data"}),
    "an unknown key": ({"data": {"email": "bad@bad.test"}, "mail": 1}, {"error": 400, "error_text": "Unknown parameter", "field": "mail"}),
    "no match value": ({"data": {"_fname": "Bob"}}, {"error": 400, "error_text": "No match value", "field": "email"}),
    "empty match values": ({"email": "", "data": {"email": None}}, {"error": 400, "error_text": "No match value", "field": "email"}),
    "a malformed match value": ({"email": "bad", "data": {}}, incorrect("email", "email")),
    "over 256 KiB": (with_field("_fname", TOO_LARGE), {"error": 400, "error_text": "Item too large"}),
    "an unknown field": (with_field("_frame", "Bob"), {"error": 400, "error_text": "Unknown field", "field": "_frame"}),
    "NUL": (with_field("_fname", "a\0b"), {"error": 400, "error_text": "Text cannot be stored", "field": "_fname"}),
    "a lone surrogate": (with_field("_fname", "\ud800"), {"error": 400, "error_text": "Text cannot be stored", "field": "_fname"}),
    "NUL deep inside": (with_field("settings", {"a": ["\0"]}), {"error": 400, "error_text": "Text cannot be stored", "field": "settings"}),
    "a malformed email": (with_field("email", "bad@"), incorrect("email", "email")),
    "an email of accents": (with_field("email", "e" + "\u0301" * 120_000 + "@bad.test"), incorrect("email", "email")),
    "an email that is an encoded word": (with_field("email", "=?utf-8?q?ceo=40other.test=2c?=@bad.test"), incorrect("email", "email")),
    "somebody else's id": (with_field("_id", "ff" * 12), incorrect("id", "_id")),
    "too many phones": (with_field("phones", [f"+7{number:010}" for number in range(1_001)]), failed("Profile too large", "phones")),
    "a searched value that is too long": (with_field("New_field_1", "x" * 1_025), failed("Match value too long", "New_field_1")),
    "a phone of words": (with_field("phones", "phone"), incorrect("phone", "phones")),
    "a short phone": (with_field("phones", ["+12345"]), incorrect("phone", "phones")),
    "a phone of zeros": (with_field("phones", "+000000000000"), incorrect("phone", "phones")),
    "an int in words": (with_field("number", "seven"), incorrect("number", "number")),
    "an int of 65 bits": (with_field("number", 2**63), incorrect("number", "number")),
    "an int that is a float": (with_field("number", 1.5), incorrect("number", "number")),
    "an int that is a bool": (with_field("number", True), incorrect("number", "number")),
    "an int that is empty": (with_field("number", ""), incorrect("number", "number")),
    "a float in words": (with_field("ratio", "half"), incorrect("number", "ratio")),
    "a float that is infinite": (with_field("ratio", "inf"), incorrect("number", "ratio")),
    "a string that is a list": (with_field("_fname", ["Bob"]), incorrect("string", "_fname")),
    "a boolean in words": (with_field("consent", "true"), incorrect("boolean", "consent")),
    "a date that does not exist": (with_field("since", "2026-02-30"), incorrect("date", "since")),
    "a date in another order": (with_field("_bdate", "31.12.2026"), incorrect("date", "_bdate")),
    "an option that does not exist": (with_field("plan", "gold"), incorrect("option", "plan")),
    "an ordinal that does not exist": (with_field("plan", 2), incorrect("option", "plan")),
    "a sex that is no option": (with_field("_sex", "unknown"), incorrect("option", "_sex")),
    "a status out of range": (with_field("_status", 7), incorrect("option", "_status")),
    "an ip of five parts": (with_field("address", "1.2.3.4.5"), incorrect("ip", "address")),
    "tags that are numbers": (with_field("interests", [1, 2]), incorrect("tags", "interests")),
    "an object that is a list": (with_field("settings", []), incorrect("object", "settings")),
    "objects that are numbers": (with_field("orders", [1]), incorrect("object", "orders")),
    "a functional update of another type": (
        with_field("number", {"action": "upsert", "value": 1, "submatch": "a"}),
        failed("Incorrect action", "number"),
    ),
    "subscriptions that are an object": (with_field("subscriptions", {}), incorrect("subscriptions", "subscriptions")),
    "an unknown resource": (with_subscription(resource_id=1234, email="a@b.test"), failed("Unknown resource", "subscriptions")),
    "a resource of another account": (with_subscription(resource_id=77, email="a@b.test"), failed("Unknown resource", "subscriptions")),
    "another channel than the resource's": (
        with_subscription(resource_id=24, channel="sms", phone="+79000000000"),
        failed("Channel differs from the resource's", "subscriptions"),
    ),
    "a malformed address": (with_subscription(resource_id=24, channel="email", email="bad"), incorrect("email", "subscriptions")),
    "another key inside": (
        with_subscription(resource_id=24, channel="email", email_data={"emial": "a@b.test"}),
        failed("Unknown subscription key", "subscriptions"),
    ),
    "claimed by two": (
        {"data": {"email": "claimed@bad.test", "_fname": "Changed"}},
        {"error": 409, "error_text": "More than one profile matches"},
    ),
    "somebody else's email": (
        {"email": "first@bad.test", "data": {"email": "second@bad.test"}},
        {"error": 409, "error_text": "Email belongs to another profile", "field": "email"},
    ),
}


@pytest.mark.promise("P-BATCH-03", "P-BATCH-05", "P-BATCH-06", "P-BATCH-10", "P-BATCH-11", "P-BATCH-13")
@pytest.mark.promise("P-HTTP-02", "P-HTTP-13", "P-MATCH-09", "P-MATCH-15", "P-SUBS-05", "P-SUBS-07")
@pytest.mark.promise("P-DATA-02", "P-DATA-03", "P-DATA-04", "P-DATA-05", "P-DATA-06", "P-DATA-07", "P-DATA-08", "P-DATA-09")
@pytest.mark.promise("P-DATA-10", "P-DATA-11", "P-DATA-12", "P-DATA-13", "P-DATA-14", "P-DATA-16", "P-DATA-18", "P-DATA-29")
def test_a_bad_item_fails_alone(pipeline: Stack) -> None:
    claim = {"subscriptions": [{"resource_id": 24, "channel": "email", "email": "claimed@bad.test"}]}
    pipeline.import_and_start([{"email": f"{name}@bad.test", "data": claim} for name in ("first", "second")], matching="email_profile")
    # A good neighbour before each bad item, and one behind the last.
    neighbours = [{"data": {"email": f"neighbour-{number}@good.test"}} for number in range(len(BAD_ITEMS) + 1)]
    items = [item for pair in zip(neighbours, (item for item, _ in BAD_ITEMS.values()), strict=False) for item in pair] + neighbours[-1:]

    answer = pipeline.import_and_start(items)
    task = pipeline.last_task()
    launched = pipeline.wait_launched(task)
    mailed = {mail["To"] for mail in pipeline.sink.mails(*(item["data"]["email"] for item in neighbours))}

    assert (answer.status, answer.body["error"]) == (200, 0)
    assert dict(zip(BAD_ITEMS, answer.body["result"][1::2], strict=True)) == {what: entry for what, (_, entry) in BAD_ITEMS.items()}
    assert [list(entry) for entry in answer.body["result"][::2]] == [["profile_id"]] * len(neighbours)
    assert (launched["imported"], launched["failed"], launched["launched"]) == (len(neighbours), len(BAD_ITEMS), len(neighbours))
    assert mailed == {item["data"]["email"] for item in neighbours}


@pytest.mark.promise("P-MATCH-04", "P-BATCH-21")
@pytest.mark.parametrize("wanted", ["00" * 12, "no id", "0", "g" * 24])
def test_a_profile_id_that_nobody_has_is_a_404_of_its_item(pipeline: Stack, wanted: str) -> None:
    answer = pipeline.import_and_start([{"profile_id": wanted, "data": {"_fname": "Bob"}}], matching="profile_id")

    assert answer.body["result"] == [{"error": 404, "error_text": "Profile not found", "field": "profile_id"}]


@pytest.mark.promise("P-HTTP-09")
def test_of_a_key_that_occurs_twice_the_last_counts(pipeline: Stack) -> None:
    item = '{"data": {"email": "first@twice.test", "email": "last@twice.test"}}'
    answer = pipeline.send(BATCH, written(f'"trigger_id": 1234, "trigger_id": 8, "data": [{item}]'))

    assert pipeline.profile(answer.body["result"][0]["profile_id"])["email"] == "last@twice.test"


@pytest.mark.promise("P-HTTP-25", "P-HTTP-26")
def test_no_process_logged_a_traceback(pipeline: Stack) -> None:
    for what, (body, *_) in REFUSED.items():
        answer = pipeline.send(BATCH, body)

        assert answer.status < 500, what
        assert "Traceback" not in str(answer.body), what
    pipeline.import_and_start([item for item, _ in BAD_ITEMS.values()])

    assert "Traceback" not in pipeline.logs()
