"""The other calls that bring items: one profile, launches alone, imports alone; each through the same path."""

import json
from typing import Any

import pytest

from tests.pipeline.stack import TOKEN, Json, Stack
from tests.pipeline.waiting import eventually

START, ONE, LAUNCH = "campaigns/triggers/start", "campaigns/triggers/import_and_start", "campaigns/triggers/start_batch"
IMPORT, IMPORTS = "profiles/import", "profiles/import_batch"
NOT_FOUND = {"error": 404, "error_text": "Profile not found", "field": "email"}


def imported(pipeline: Stack, email: str, **fields: Any) -> str:
    """A profile that exists; nothing is launched for it."""
    answer = pipeline.post(IMPORT, db_id=1, data={"email": email, **fields})

    assert (answer.status, sorted(answer.body)) == (200, ["error", "error_text", "profile_id"]), answer.body
    return str(answer.body["profile_id"])


def events(pipeline: Stack, profile: str) -> list[str]:
    return sorted(event["event_type"] for event in pipeline.world.events() if event["profile_id"] == profile)


@pytest.mark.promise("P-FAMILY-01", "P-HTTP-02", "P-HTTP-32")
def test_one_profile_is_imported_and_its_campaign_started(pipeline: Stack) -> None:
    before = pipeline.last_task()
    answer = pipeline.post(ONE, trigger_id=8, email="one@family.test", data={"_fname": "Юля", "phones": None}, custom_data={"order": 17})

    assert answer.body == {"error": 0, "error_text": "Successful operation", "profile_id": answer.body["profile_id"]}
    assert pipeline.profile(answer.body["profile_id"])["_fname"] == "Юля"
    assert pipeline.wait_launched(pipeline.next_task(before))["launched"] == 1
    assert len(pipeline.sink.mails("one@family.test")) == 1


# what is wrong with it: (what is sent, how the answer begins)
FAILING: dict[str, tuple[str, Json, Json]] = {
    "a bad field": (ONE, {"trigger_id": 8, "data": {"email": "a@family.test", "ratio": "x"}}, {"error": 400, "field": "ratio"}),
    "an unknown field": (IMPORT, {"db_id": 1, "data": {"email": "a@family.test", "_frame": 1}}, {"error": 400, "field": "_frame"}),
    "no match value": (
        ONE,
        {"trigger_id": 8, "data": {"email": "\u00a0"}},
        {"error": 400, "error_text": "No match value", "field": "email"},
    ),
    "nobody": (START, {"id": 8, "email": "nobody@family.test"}, NOT_FOUND),
    "an id that is none": (
        START,
        {"id": 8, "matching": "profile_id", "profile_id": "x"},
        {"error": 404, "error_text": "Profile not found"},
    ),
}


@pytest.mark.promise("P-FAMILY-02")
@pytest.mark.parametrize("wrong", FAILING)
def test_a_failed_profile_is_the_failure_of_its_request_and_stays_so(pipeline: Stack, wrong: str) -> None:
    path, body, begins = FAILING[wrong]
    request = {"Request-ID": f"family-{wrong.replace(' ', '-')}"}
    content = json.dumps({"token": TOKEN, **body}).encode()
    first = pipeline.send(path, content, request)
    again = pipeline.raw(path, content, request)

    assert first.status == first.body["error"]
    assert begins.items() <= first.body.items()
    assert "profile_id" not in first.body
    assert (again.status_code, again.json(), again.headers["Duplicate-Request"]) == (first.status, first.body, "true")


@pytest.mark.promise("P-FAMILY-03", "P-FAMILY-06", "P-HTTP-33")
def test_a_start_finds_and_launches_and_changes_nobody(pipeline: Stack) -> None:
    known = imported(pipeline, "start@family.test", _fname="Ann")
    before, mails = pipeline.last_task(), len(pipeline.sink.mails("start@family.test"))
    items: list[Any] = [
        {"email": " START@family.test", "custom_data": {"row": 1}},
        {"email": "nobody@family.test"},
        {"email": "start@family.test", "data": {"_fname": "Bob"}},
        None,
    ]
    answer = pipeline.post(LAUNCH, trigger_id=8, data=items)

    assert answer.body["result"] == [
        {"profile_id": known},
        NOT_FOUND,
        {"error": 400, "error_text": "Unknown parameter", "field": "data"},
        {"error": 400, "error_text": "Incorrect object"},
    ]
    assert pipeline.profile(known)["_fname"] == "Ann"
    assert pipeline.wait_launched(pipeline.next_task(before))["launched"] == 1
    assert len(pipeline.sink.mails("start@family.test")) == mails + 1
    eventually(lambda: "send" in events(pipeline, known), 20, lambda: "its mail is told")
    assert events(pipeline, known) == ["import_api", "launch", "send"]


@pytest.mark.promise("P-FAMILY-07")
@pytest.mark.parametrize("number", [8, "8"])
def test_a_start_names_its_campaign_by_id(pipeline: Stack, number: int | str) -> None:
    known = imported(pipeline, "id@family.test")

    assert pipeline.post(START, id=number, email="id@family.test").body["profile_id"] == known


@pytest.mark.promise("P-FAMILY-04", "P-FAMILY-06", "P-HTTP-35")
def test_bare_profiles_are_imported_and_nothing_is_launched(pipeline: Stack) -> None:
    before = pipeline.last_task()
    answer = pipeline.post(IMPORTS, db_id=1, data=[{"email": "bare@family.test", "data": 1}, {"email": "bare@family.test"}, [], "x"])

    assert [sorted(entry) for entry in answer.body["result"]] == [
        ["error", "error_text", "field"],
        ["profile_id"],
        ["error", "error_text"],
        ["error", "error_text"],
    ]
    task = pipeline.next_task(before)
    assert pipeline.status(task)["result"] | {"items": None} == {
        "total": 4,
        "imported": 1,
        "failed": 3,
        "scheduled": 0,
        "launched": 0,
        "skipped": 0,
        "launch_failed": 0,
        "cancelled": 0,
        "items": None,
    }


@pytest.mark.promise("P-FAMILY-05")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("campaigns/triggers/start_batch_task", {"id": "8", "data": [{"email": "nobody@family.test"}]}),
        ("profiles/import_batch_task", {"db_id": 1, "data": [{"email": "task@family.test"}]}),
    ],
)
def test_a_task_is_answered_by_its_id_and_has_its_result_later(pipeline: Stack, path: str, body: Json) -> None:
    task = pipeline.post(path, **body).body["data"]["task_id"]

    eventually(lambda: pipeline.status(task)["status"] == "completed", 20, lambda: "its item is answered")


DEVICE = {"matching": "push_sub", "provider": "ios-apns", "subscription_id": "a"}

# what is wrong: (path, the request's members, status, what error_debug begins with)
REFUSED: dict[str, tuple[str, Json, int, str]] = {
    "one profile as an array": (ONE, {"trigger_id": 8, "data": [{"email": "a@b.test"}]}, 400, "data: must be an object"),
    "many profiles as one": (IMPORTS, {"db_id": 1, "data": {"email": "a@b.test"}}, 400, "data: must be an array"),
    "no data": (ONE, {"trigger_id": 8, "email": "a@b.test"}, 400, "data: required"),
    "data for a start": (START, {"id": 8, "email": "a@b.test", "data": {}}, 400, "data: unknown parameter"),
    "a start by trigger_id": (START, {"trigger_id": 8, "email": "a@b.test"}, 400, "trigger_id: unknown parameter"),
    "an id that is no number": (START, {"id": "8x", "email": "a@b.test"}, 400, "id"),
    "an import without its database": (IMPORT, {"data": {"email": "a@b.test"}}, 400, "db_id: required"),
    "an import with a campaign": (IMPORT, {"db_id": 1, "trigger_id": 8, "data": {}}, 400, "trigger_id: unknown parameter"),
    "an import with files": (IMPORTS, {"db_id": 1, "attach": [], "data": [{}]}, 400, "attach: unknown parameter"),
    "an import that waits": (IMPORTS, {"db_id": 1, "timeout": {"days": 1}, "data": [{}]}, 400, "timeout: unknown parameter"),
    "segments": (IMPORT, {"db_id": 1, "add_to_segments": [1], "data": {}}, 400, "add_to_segments: unknown parameter"),
    "a filter of subscriptions": (START, {"id": 8, "subscription_filter": {}, "email": "a@b.test"}, 400, "subscription_filter"),
    "a database that nobody has": (IMPORT, {"db_id": 7, "data": {"email": "a@b.test"}}, 404, "db_id"),
    "a campaign that nobody has": (START, {"id": 10**12, "email": "a@b.test"}, 404, "trigger_id"),
    "a stranger's campaign": (LAUNCH, {"trigger_id": 99, "data": [{}]}, 404, "trigger_id"),
    "a device's resource that nobody has": (START, {"id": 8, **DEVICE, "resource_id": 1234}, 404, "resource_id"),
    "a mail's resource for a device": (LAUNCH, {"trigger_id": 8, **DEVICE, "resource_id": 24, "data": [{}]}, 400, "resource_id"),
    "another database's for a device": (IMPORT, {"db_id": 1, **DEVICE, "resource_id": 36, "data": {}}, 400, "resource_id"),
    "a campaign that is off": (START, {"id": 9, "email": "a@b.test"}, 409, "trigger_id"),
    "nothing to start": (LAUNCH, {"trigger_id": 8, "data": []}, 400, "data"),
}


@pytest.mark.promise("P-FAMILY-08", "P-BATCH-15")
@pytest.mark.parametrize("wrong", REFUSED)
def test_what_an_endpoint_does_not_take_is_refused_by_name(pipeline: Stack, wrong: str) -> None:
    path, body, status, debug = REFUSED[wrong]
    answer = pipeline.post(path, **body)

    assert (answer.status, answer.body["error"]) == (status, status), answer.body
    assert answer.body["error_debug"].startswith(debug)


@pytest.mark.promise("P-FAMILY-09")
@pytest.mark.parametrize("path", [START, ONE, LAUNCH, IMPORT, IMPORTS])
def test_whoever_may_only_read_brings_nothing(pipeline: Stack, path: str) -> None:
    assert pipeline.raw(path, b'{"token": "reader-token"}').status_code == 403


SET = "subscriptions/set"
SMS, PUSH, TELEGRAM = 25, 28, 30


@pytest.mark.promise("P-FAMILY-11")
def test_one_subscription_is_set_key_by_key_and_its_neighbours_stay(pipeline: Stack) -> None:
    other = {"resource_id": 26, "channel": "email", "email": "set@family.test"}
    known = imported(pipeline, "set@family.test", subscriptions=[other])
    first = pipeline.post(SET, db_id=1, profile_id=known, resource_id=24, email="SET@family.test", priority=3, status=None, url=None)
    change = {"status": "unsubscribed", "date": "2026-01-02T03:04:05Z", "ip": "192.0.2.1"}
    second = pipeline.post(SET, db_id=1, matching="email", email="set@family.test", resource_id=24, skip_triggers=True, **change)

    assert (first.body, second.body["profile_id"]) == ({"error": 0, "error_text": "Successful operation", "profile_id": known}, known)
    shown = {each["resource_id"]: each for each in pipeline.profile(known)["subscriptions"]}
    assert shown[26] == {**other, "status": "subscribed", "priority": 0}
    assert (shown[24]["email"], shown[24]["status"], shown[24]["priority"]) == ("set@family.test", "unsubscribed", 3)
    assert (shown[24]["date"][:19], shown[24]["ip"]) == ("2026-01-02T03:04:05", "192.0.2.1")
    # Nothing is imported by it, and an `update` trigger may react.
    assert "import_api" not in events(pipeline, known)[1:]


@pytest.mark.promise("P-FAMILY-11")
def test_a_subscription_of_another_channel_is_set_for_whom_the_address_finds(pipeline: Stack) -> None:
    known = imported(pipeline, "crossing@family.test", phones=["+79000000077"])
    device = {"provider": "ios-apns", "subscription_id": "crossing"}
    found = {"matching": "email", "email": "crossing@family.test"}
    answers = [
        pipeline.post(SET, db_id=1, **found, resource_id=SMS, phone="+79000000077", status="unsubscribed"),
        pipeline.post(SET, db_id=1, **found, resource_id=PUSH, **device),
        pipeline.post(SET, db_id=1, matching="phone", phone="+79000000077", resource_id=24, email="crossing@family.test"),
        pipeline.post(SET, db_id=1, matching="push_sub", **device, resource_id=24, email="second@family.test"),
        pipeline.post(SET, db_id=1, **found, resource_id=TELEGRAM, cc_data={"id": 7}),
    ]

    assert [answer.body.get("profile_id") for answer in answers] == [known] * len(answers)
    shown = pipeline.profile(known)["subscriptions"]
    assert [(each["resource_id"], each["status"]) for each in shown] == [
        (SMS, "unsubscribed"),
        (PUSH, "subscribed"),
        (24, "subscribed"),
        (24, "subscribed"),
        (TELEGRAM, "subscribed"),
    ]
    assert [each.keys() & {"email", "phone", "provider", "cc_data"} for each in shown] == [
        {"phone"},
        {"provider"},
        {"email"},
        {"email"},
        {"cc_data"},
    ]


NO_RESOURCE: Json = {"error": 404, "error_text": "Not found", "error_debug": "resource_id"}
NOT_SET: dict[str, tuple[Json, Json]] = {
    "nobody": ({"profile_id": "0" * 24, "email": "a@family.test"}, {"error": 404, "error_text": "Profile not found"}),
    "an address that is none": ({"matching": "email_profile", "email": "no address"}, {"error": 400}),
    "no address": ({}, {"error": 400}),
    "another channel's address": ({"phone": "+79000000001"}, {"error": 400}),
    "only the address that finds": ({"matching": "phone", "phone": "+79000000001"}, {"error": 400}),
    "an address of neither": ({"matching": "phone", "phone": "+79000000001", "email": "a@family.test", "provider": "a"}, {"error": 400}),
    "an unknown resource": ({"resource_id": 999, "email": "nobody@family.test"}, NO_RESOURCE),
    "a stranger's resource": ({"resource_id": 77, "email": "nobody@family.test"}, NO_RESOURCE),
    "a resource beyond 64 bits": ({"resource_id": 2**70, "email": "nobody@family.test"}, NO_RESOURCE),
    "another database's resource": (
        {"resource_id": 35, "email": "nobody@family.test"},
        {"error": 400, "error_text": "Invalid request", "error_debug": "resource_id: the resource belongs to another database"},
    ),
    "a status that is none": ({"email": "nobody@family.test", "status": "asleep"}, {"error": 400}),
    "a date that is none": ({"email": "nobody@family.test", "date": "soon"}, {"error": 400}),
    "an address of a network that is none": ({"email": "nobody@family.test", "ip": "1.2.3"}, {"error": 400}),
    "a priority that is none": ({"email": "nobody@family.test", "priority": "1"}, {"error": 400}),
    "no resource": ({"email": "nobody@family.test", "resource_id": None}, {"error": 400}),
}


@pytest.mark.promise("P-FAMILY-11", "P-HTTP-21")
@pytest.mark.parametrize("wrong", NOT_SET)
def test_what_cannot_be_set_changes_nobody(pipeline: Stack, wrong: str) -> None:
    body, begins = NOT_SET[wrong]
    known = imported(pipeline, "unset@family.test")
    before = pipeline.profile(known)
    answer = pipeline.post(SET, **{"db_id": 1, "profile_id": known, "resource_id": 24, **body})

    assert answer.status == answer.body["error"]
    assert begins.items() <= answer.body.items()
    assert pipeline.profile(known) == before


@pytest.mark.promise("P-FAMILY-11", "P-REQID-08")
def test_who_named_no_resource_of_theirs_may_use_the_id_again(pipeline: Stack) -> None:
    imported(pipeline, "again@family.test")
    found = {"token": TOKEN, "db_id": 1, "matching": "email", "email": "again@family.test"}
    request = {"Request-ID": "no-resource"}
    before = pipeline.last_task()
    refused = [pipeline.raw(SET, json.dumps({**found, "resource_id": number}).encode(), request) for number in (999, 35)]
    assert pipeline.last_task() == before

    answer = pipeline.raw(SET, json.dumps({**found, "resource_id": 24}).encode(), request)

    assert [each.status_code for each in refused] == [404, 400]
    assert (answer.status_code, "Duplicate-Request" in answer.headers) == (200, False)


@pytest.mark.promise("P-FAMILY-11", "P-HTTP-13", "P-HTTP-14")
def test_a_subscription_that_is_set_alone_may_hold_as_much_as_in_an_item(pipeline: Stack) -> None:
    known = imported(pipeline, "much@family.test")
    much = {"history": ["x" * 100] * 2_000}
    given = {"db_id": 1, "profile_id": known, "resource_id": 24, "email": "much@family.test"}
    answer = pipeline.post(SET, **given, custom_fields=much)
    too_much = pipeline.post(SET, **given, custom_fields={"history": ["x" * 100] * 3_000})

    assert (answer.status, pipeline.profile(known)["subscriptions"][0]["custom_fields"]) == (200, much)
    assert (too_much.body["error"], too_much.body["error_text"]) == (400, "Item too large")


@pytest.mark.promise("P-FAMILY-11")
def test_setting_creates_nobody(pipeline: Stack) -> None:
    answer = pipeline.post(SET, db_id=1, matching="email", email="new@family.test", resource_id=24)

    assert (answer.body["error"], answer.body["error_text"]) == (404, "Profile not found")
    assert pipeline.post("profiles/get", db_id=1, email="new@family.test").body["error"] == 404
