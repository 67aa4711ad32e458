"""What is another account's is answered as what does not exist, at every endpoint, and nothing of it changes."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.pipeline.stack import Json, Stack
from tests.pipeline.waiting import eventually

IMPORT = "campaigns/triggers/import_and_start_batch"
INTRUDER = "intruders-token"
EMAIL, PHONE, FIELD = "owner@isolated.test", "+79000000001", "owners-number"
ITEM = {"data": {"_fname": "Eve"}}


@dataclass(frozen=True)
class Theirs:
    """What account 1 has."""

    profile: str
    task: str


OWNED = """
    SELECT p.id, p.data::text, p.subscriptions::text, p.database FROM profiles p JOIN databases d ON d.id = p.database
    WHERE d.account = 1 ORDER BY p.id
"""
LAUNCHES = (
    "SELECT b.id, l.trigger, l.items, l.launched FROM batches b LEFT JOIN launches l ON l.batch = b.id WHERE b.account = 1 ORDER BY 1, 2"
)


@pytest.fixture(scope="module")
def theirs(secured: Stack) -> Theirs:
    data = {
        "email": EMAIL,
        "phones": PHONE,
        "New_field_1": FIELD,
        "subscriptions": [{"resource_id": 24, "channel": "email", "email": EMAIL}],
    }
    answer = secured.import_and_start([{"data": data}])
    task = secured.last_task()
    secured.wait_launched(task)
    return Theirs(answer.body["result"][0]["profile_id"], task)


def state(stack: Stack) -> list[Any]:
    """All that account 1 has."""
    return [tuple(row) for sql in (OWNED, LAUNCHES) for row in stack.world.rows(sql)]


def importing(**changes: Any) -> Json:
    return {"trigger_id": 3, "data": [{**ITEM, **changes.pop("item", {})}], **changes}


# An endpoint, what the request names of account 1's, and what in its place nobody has.
CASES: dict[str, tuple[str, Json, Json]] = {
    "trigger": (IMPORT, importing(trigger_id=8), importing(trigger_id=808)),
    "resource": (IMPORT, importing(resource_id=24, email="x@y.test"), importing(resource_id=2424, email="x@y.test")),
    "field": (
        IMPORT,
        importing(matching="custom", field_name="New_field_1", field_value=FIELD),
        importing(matching="custom", field_name="no_field", field_value=FIELD),
    ),
    "profile": (
        IMPORT,
        importing(matching="profile_id", item={"profile_id": "PROFILE"}),
        importing(matching="profile_id", item={"profile_id": "0f" * 12}),
    ),
    "root profile": (
        IMPORT,
        importing(matching="profile_id", profile_id="PROFILE"),
        importing(matching="profile_id", profile_id="0f" * 12),
    ),
    "e-mail": (IMPORT, importing(item={"email": EMAIL}), importing(item={"email": "nobody@isolated.test"})),
    "own field's value": (
        IMPORT,
        importing(matching="custom", field_name="mine", field_value=FIELD),
        importing(matching="custom", field_name="mine", field_value="nobodys"),
    ),
    "field of a profile": (
        IMPORT,
        importing(item={"email": "a@isolated.test", "data": {"New_field_1": 1}}),
        importing(item={"email": "a@isolated.test", "data": {"New_field_2": 1}}),
    ),
    "resource of a subscription": (
        IMPORT,
        importing(item={"email": "b@isolated.test", "data": {"subscriptions": [{"resource_id": 24, "channel": "email", "email": EMAIL}]}}),
        importing(
            item={"email": "b@isolated.test", "data": {"subscriptions": [{"resource_id": 2424, "channel": "email", "email": EMAIL}]}}
        ),
    ),
    "trigger for one": (
        "campaigns/triggers/import_and_start",
        {"trigger_id": 8, "data": {"email": "x@isolated.test"}},
        {"trigger_id": 808, "data": {"email": "x@isolated.test"}},
    ),
    "trigger to start": ("campaigns/triggers/start", {"id": 8, "email": EMAIL}, {"id": 808, "email": EMAIL}),
    "profile to start for": (
        "campaigns/triggers/start",
        {"id": 3, "matching": "profile_id", "profile_id": "PROFILE"},
        {"id": 3, "matching": "profile_id", "profile_id": "0f" * 12},
    ),
    "profiles to start for": (
        "campaigns/triggers/start_batch",
        {"trigger_id": 3, "matching": "profile_id", "data": [{"profile_id": "PROFILE"}]},
        {"trigger_id": 3, "matching": "profile_id", "data": [{"profile_id": "0f" * 12}]},
    ),
    "trigger of a task": (
        "campaigns/triggers/start_batch_task",
        {"id": 8, "data": [{"email": EMAIL}]},
        {"id": 808, "data": [{"email": EMAIL}]},
    ),
    "batch to cancel": ("campaigns/triggers/cancel", {"task_id": "TASK"}, {"task_id": "0f" * 12}),
    "trigger to cancel": ("campaigns/triggers/cancel", {"trigger_id": 8}, {"trigger_id": 808}),
    "profile to cancel for": ("campaigns/triggers/cancel", {"profile_id": "PROFILE"}, {"profile_id": "0f" * 12}),
    "profile to subscribe": (
        "subscriptions/set",
        {"db_id": 1, "profile_id": "PROFILE", "resource_id": 24, "email": EMAIL},
        {"db_id": 1, "profile_id": "0f" * 12, "resource_id": 24, "email": EMAIL},
    ),
    "database of a subscription": (
        "subscriptions/set",
        {"db_id": 5, "profile_id": "PROFILE", "resource_id": 24, "email": EMAIL},
        {"db_id": 505, "profile_id": "PROFILE", "resource_id": 24, "email": EMAIL},
    ),
    "trigger to change": (
        "campaigns/triggers/update",
        {"id": 8, "is_active": False},
        {"id": 808, "is_active": False},
    ),
    "resource of a trigger": (
        "campaigns/triggers/update",
        {"id": 3, "resource_id": 24},
        {"id": 3, "resource_id": 2424},
    ),
    "database of a new trigger": (
        "campaigns/triggers/add",
        {"name": "Eve's", "list_id": 5, "trigger_type": "api_import", "send_channel": "email", "content": [{"subject": "x"}]},
        {"name": "Eve's", "list_id": 505, "trigger_type": "api_import", "send_channel": "email", "content": [{"subject": "x"}]},
    ),
    "trigger to look at": ("campaigns/triggers/get", {"id": 8}, {"id": 808}),
    "triggers to list": ("campaigns/triggers/list", {"from_id": 8}, {"from_id": 808}),
    "databases to list": ("databases/list", {"from_id": 5}, {"from_id": 505}),
    "database to look at": ("databases/fields_get", {"db_id": 5}, {"db_id": 505}),
    "database to import into": (
        "profiles/import",
        {"db_id": 5, "data": {"email": EMAIL}},
        {"db_id": 505, "data": {"email": EMAIL}},
    ),
    "profile to import": (
        "profiles/import",
        {"db_id": 1, "matching": "profile_id", "profile_id": "PROFILE", "data": {"_fname": "Eve"}},
        {"db_id": 1, "matching": "profile_id", "profile_id": "0f" * 12, "data": {"_fname": "Eve"}},
    ),
    "database to import many into": (
        "profiles/import_batch",
        {"db_id": 5, "data": [{"email": EMAIL}]},
        {"db_id": 505, "data": [{"email": EMAIL}]},
    ),
    "database of a task": (
        "profiles/import_batch_task",
        {"db_id": 5, "data": [{"email": EMAIL}]},
        {"db_id": 505, "data": [{"email": EMAIL}]},
    ),
    "database": ("profiles/get", {"db_id": 5, "email": EMAIL}, {"db_id": 505, "email": EMAIL}),
    "profile by phone": (
        "profiles/get",
        {"db_id": 1, "matching": "phone", "phone": PHONE},
        {"db_id": 1, "matching": "phone", "phone": "+79000000002"},
    ),
    "profile by id": (
        "profiles/get",
        {"db_id": 1, "matching": "profile_id", "profile_id": "PROFILE"},
        {"db_id": 1, "matching": "profile_id", "profile_id": "0f" * 12},
    ),
    "profile by field": (
        "profiles/get",
        {"db_id": 1, "matching": "custom", "field_name": "New_field_1", "field_value": FIELD},
        {"db_id": 1, "matching": "custom", "field_name": "no_field", "field_value": FIELD},
    ),
    "resource to search": (
        "profiles/get",
        {"db_id": 1, "email": EMAIL, "resource_id": 24},
        {"db_id": 1, "email": EMAIL, "resource_id": 2424},
    ),
    "profile to erase": (
        "profiles/delete",
        {"db_id": 1, "matching": "phone", "phone": PHONE},
        {"db_id": 1, "matching": "phone", "phone": "+79000000002"},
    ),
    "profile to erase by id": (
        "profiles/delete",
        {"db_id": 1, "matching": "profile_id", "profile_id": "PROFILE"},
        {"db_id": 1, "matching": "profile_id", "profile_id": "0f" * 12},
    ),
    "database to erase from": ("profiles/delete", {"db_id": 5, "email": EMAIL}, {"db_id": 505, "email": EMAIL}),
    "task": ("tasks/status", {"task_id": "TASK"}, {"task_id": "0f" * 12}),
}


def ask(stack: Stack, path: str, given: Json, theirs: Theirs, headers: dict[str, str] | None = None) -> httpx2.Response:
    text = json.dumps({"token": INTRUDER, **given}).replace("PROFILE", theirs.profile).replace("TASK", theirs.task)
    return stack.raw(path, text.encode(), headers)


def shown(answer: httpx2.Response) -> tuple[int, Json]:
    """An answer without what differs by itself: the ids of profiles that were made, and the name that was asked for."""
    body = json.loads(answer.text.replace("New_field_2", "New_field_1"))
    for entry in body.get("result", []):
        if "profile_id" in entry:
            entry["profile_id"] = "made"
    return answer.status_code, body


def served(stack: Stack) -> set[str]:
    paths: Json = httpx2.get(f"http://127.0.0.1:{stack.gateway.port}/openapi.json").json()["paths"]
    return {path.removeprefix("/api/v1.1/") for path in paths}


@pytest.mark.promise("P-OPS-11", "P-HTTP-21")
@pytest.mark.parametrize("case", CASES)
def test_what_is_another_accounts_is_answered_as_what_nobody_has(secured: Stack, theirs: Theirs, case: str) -> None:
    path, named, unknown = CASES[case]
    before = state(secured)
    answer = ask(secured, path, named, theirs)

    assert shown(answer) == shown(ask(secured, path, unknown, theirs))
    # What a request says itself may be in its answer, an id that it did not make may not.
    assert theirs.profile not in answer.text
    assert state(secured) == before


@pytest.mark.promise("P-OPS-11", "P-HTTP-21")
@pytest.mark.parametrize("named", ["trigger", "resource", "field"])
def test_a_batch_that_nobody_waits_for_reveals_no_more(secured: Stack, theirs: Theirs, named: str) -> None:
    path = f"{IMPORT}_task"
    if path not in served(secured):
        pytest.skip("it is not served yet")
    _, given, unknown = CASES[named]

    assert shown(ask(secured, path, given, theirs)) == shown(ask(secured, path, unknown, theirs))


@pytest.mark.promise("P-OPS-11")
def test_no_endpoint_is_left_out(secured: Stack) -> None:
    assert served(secured) - {f"{IMPORT}_task"} == {path for path, *_ in CASES.values()}


@pytest.mark.promise("P-OPS-11", "P-REQID-07")
def test_a_request_id_of_another_account_is_a_new_one(secured: Stack, theirs: Theirs) -> None:
    mine, name = importing(item={"email": "c@isolated.test"}), {"Request-ID": secrets.token_hex(8)}
    first = secured.raw(IMPORT, json.dumps({"token": "abcdefghijklmnqrstuvwxyz", "trigger_id": 8, "data": [5]}).encode(), name)
    answer = ask(secured, IMPORT, mine, theirs, name)

    assert first.status_code == answer.status_code == 200
    assert "duplicate-request" not in answer.headers
    assert "profile_id" in answer.json()["result"][0]


@pytest.mark.promise("P-OPS-11")
@pytest.mark.parametrize("attempt", ["_id", "database", "account", "trigger", "batch", "profile"])
def test_a_message_cannot_name_what_it_is_about(secured: Stack, theirs: Theirs, attempt: str) -> None:
    values = {"_id": theirs.profile, "profile": theirs.profile, "batch": theirs.task}
    item = {"email": "d@isolated.test", "data": {attempt: values.get(attempt, 1)}, "custom_data": {attempt: values.get(attempt, 1)}}
    before = state(secured)
    (entry,) = ask(secured, IMPORT, importing(item=item), theirs).json()["result"]

    # Its own id a client may give back.
    assert (entry["error_text"], entry["field"]) == ("Incorrect id" if attempt == "_id" else "Unknown field", attempt)
    assert state(secured) == before


@pytest.mark.promise("P-OPS-11")
def test_a_mail_shows_nothing_of_a_profile_with_the_same_address(secured: Stack, theirs: Theirs) -> None:
    before = len(secured.sink.mails(EMAIL))
    ask(secured, IMPORT, importing(item={"email": EMAIL}), theirs)
    eventually(lambda: len(secured.sink.mails(EMAIL)) > before, 20, lambda: "the mail arrives")

    assert secured.sink.mails(EMAIL)[-1]["Subject"] == "Hello Eve"
