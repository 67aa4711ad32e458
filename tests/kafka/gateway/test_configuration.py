"""What an account has configured can be read, and only by itself."""

from typing import Any

import pytest

from tests.kafka.gateway.running import Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER = {"Authorization": "Bearer other-token"}
WELCOME = {
    "id": 8,
    "name": "Welcome",
    "is_active": True,
    "trigger_type": "api_call",
    "list_id": 1,
    "resource_id": None,
    "send_channel": "email",
    "skip_minutes": 7,
    "unconditional_sending": False,
    "fields": None,
    "provider": None,
    "pace": None,
    "spread": None,
    "content": [{"subject": "Hello", "from_email": "demo@example.com", "from_name": "Demo", "html": "<p>Hello</p>", "text": "Hello"}],
}


async def shown(world: Running, path: str, **given: Any) -> Json:
    answer = await world.post(path, None, **given)

    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


@pytest.mark.promise("P-HTTP-50")
async def test_databases_are_listed_in_the_order_of_their_numbers(patient: Running) -> None:
    whole = (await shown(patient, "databases/list"))["data"]
    first, later, none, beyond = [
        await shown(patient, "databases/list", **given) for given in ({"limit": 1}, {"from_id": 2}, {"limit": 0}, {"from_id": 10**9})
    ]

    assert whole[:2] == [{"id": 1, "name": "Customers"}, {"id": 2, "name": "Partners"}]
    assert whole == sorted(whole, key=lambda each: each["id"])
    assert (first["data"], first["total_count"]) == (whole[:1], len(whole))
    assert (later["data"], later["total_count"]) == (whole[1:], len(whole) - 1)
    assert (none["data"], none["total_count"]) == ([], len(whole))
    assert (beyond["data"], beyond["total_count"]) == ([], 0)


@pytest.mark.promise("P-HTTP-50")
async def test_the_fields_of_a_database_are_the_systems_and_its_own(patient: Running) -> None:
    body = await shown(patient, "databases/fields_get", db_id=1)
    fields = {field["name"]: field for field in body["data"]}

    assert body["total_count"] == len(fields)
    assert fields["_sex"] == {"name": "_sex", "type": "enum", "system": True, "match": False, "options": ["male", "female"]}
    assert fields["crm"] == {"name": "crm", "type": "string", "system": False, "match": True}
    assert {"email", "phones", "subscriptions", "interests"} <= fields.keys()


@pytest.mark.promise("P-HTTP-36", "P-FAMILY-07")
@pytest.mark.parametrize("number", [8, "8"])
async def test_a_trigger_is_shown_by_its_number(patient: Running, number: Any) -> None:
    assert (await shown(patient, "campaigns/triggers/get", id=number))["data"] == WELCOME


@pytest.mark.promise("P-HTTP-36")
async def test_triggers_are_listed_all_or_by_whether_they_are_active(patient: Running) -> None:
    listed = await shown(patient, "campaigns/triggers/list")

    assert {"id": 8, "name": "Welcome", "type": "api_call", "is_active": True} in listed["data"]
    assert [each["id"] for each in listed["data"]] == sorted(each["id"] for each in listed["data"])
    active, idle = [(await shown(patient, "campaigns/triggers/list", is_active=state))["data"] for state in (True, False)]
    assert sorted([*active, *idle], key=lambda each: each["id"]) == listed["data"]


# what is wrong: (path, what is given, status)
REFUSED: dict[str, tuple[str, Json, int]] = {
    "a number that nobody has": ("campaigns/triggers/get", {"id": 10**12}, 404),
    "a stranger's trigger": ("campaigns/triggers/get", {"id": 99}, 404),
    "a name for a number": ("campaigns/triggers/get", {"id": "Welcome"}, 400),
    "no number": ("campaigns/triggers/get", {}, 400),
    "a database that nobody has": ("databases/fields_get", {"db_id": 7}, 404),
    "a list that begins before 1": ("databases/list", {"from_id": 0}, 400),
    "a list beyond all numbers": ("campaigns/triggers/list", {"from_id": 2**31}, 400),
    "a group of triggers": ("campaigns/triggers/list", {"groups": []}, 400),
    "a state in words": ("campaigns/triggers/list", {"is_active": "yes"}, 400),
}


@pytest.mark.promise("P-HTTP-36", "P-HTTP-50")
@pytest.mark.parametrize("wrong", REFUSED)
async def test_what_cannot_be_shown_is_refused(patient: Running, wrong: str) -> None:
    path, given, status = REFUSED[wrong]

    assert (await patient.post(path, None, **given)).status_code == status


@pytest.mark.promise("P-HTTP-50")
async def test_whoever_may_not_read_is_shown_nothing(patient: Running) -> None:
    for path in ("databases/list", "databases/fields_get", "campaigns/triggers/list", "campaigns/triggers/get"):
        assert (await patient.raw(path, b'{"token": "eraser-token"}')).status_code == 403


@pytest.mark.promise("P-HTTP-50")
async def test_an_account_sees_its_own_only(patient: Running) -> None:
    answer = await patient.raw("campaigns/triggers/list", b"{}", STRANGER)

    seen = {each["id"] for each in answer.json()["data"]}
    assert 99 in seen
    assert 8 not in seen
