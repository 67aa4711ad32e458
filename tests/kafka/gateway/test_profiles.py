"""`profiles/get`: one profile, found as an import would find it."""

import json

import pytest

from schemas.fields import Field
from schemas.identities import holder_number, identities_of
from schemas.ids import new_id
from tests.kafka.gateway.running import Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIELDS = {name: Field.model_validate({"type": type_, "match": True}) for name, type_ in (("crm", "string"), ("interests", "tags"))}
DEVICE = {"provider": "ios-apns", "subscription_id": "ann's"}
RINGING = {"resource_id": 28, "channel": "push", **DEVICE, "status": "subscribed", "priority": 0}
NEWS = {"resource_id": 24, "channel": "email", "email": "news@good.test", "status": "subscribed", "priority": 0}


async def stored(world: Running, data: Json, *subscriptions: Json, account: int = 1) -> Json:
    """A profile as the matcher stores it, and as it is shown."""
    profile = new_id()
    database: int = await world.pool.fetchval("SELECT id FROM databases WHERE account = $1", account)
    await world.pool.execute(
        "INSERT INTO profiles VALUES ($1, $2, $3::jsonb, $4::jsonb)", profile, database, json.dumps(data), json.dumps(subscriptions)
    )
    for kind, value in identities_of(FIELDS, data, subscriptions):
        await world.pool.execute(
            "INSERT INTO identities VALUES ($1, $2, $3, $4, $5)", database, kind, value, holder_number(profile), profile
        )
    return {"_id": profile.hex(), **data, "subscriptions": list(subscriptions)}


async def get(world: Running, **by: object) -> Json:
    answer = await world.post("profiles/get", None, **{"db_id": 1, **by})
    body: Json = answer.json()
    assert answer.status_code == body["error"] or (answer.status_code, body["error"]) == (200, 0)
    return body


@pytest.mark.promise("P-HTTP-28", "P-MATCH-11")
async def test_a_profile_is_found_by_each_mode(patient: Running) -> None:
    data = {"email": "ann@good.test", "phones": ["+79000000000"], "crm": "A-1", "interests": ["a", "b", "c"]}
    ann = await stored(patient, data, NEWS, RINGING)
    modes: list[Json] = [
        {"email": " ANN@good.test"},
        {"email": "news@good.test"},
        {"email": "news@good.test", "resource_id": 24},
        {"matching": "email_profile", "email": "ann@good.test", "resource_id": 1234},
        {"matching": "phone", "phone": "+7 900 000 00 00"},
        {"matching": "push_sub", **DEVICE},
        {"matching": "push_sub", **DEVICE, "resource_id": 28},
        {"matching": "profile_id", "profile_id": ann["_id"].upper()},
        {"matching": "custom", "field_name": "crm", "field_value": "A-1"},
        {"matching": "custom", "field_name": "interests", "field_value": "c, a"},
    ]

    for by in modes:
        assert (by, (await get(patient, **by)).get("data")) == (by, ann)


@pytest.mark.promise("P-HTTP-28", "P-HTTP-21", "P-OPS-11")
async def test_what_is_not_there_is_not_found(patient: Running) -> None:
    alone = DEVICE | {"subscription_id": "alone"}
    ann = await stored(patient, {"email": "ann@alone.test"}, NEWS | {"email": "other@alone.test"}, RINGING | alone)
    missing: list[Json] = [
        {"email": "nobody@alone.test"},
        {"matching": "email_profile", "email": "other@alone.test"},
        {"matching": "profile_id", "profile_id": "7"},
        {"matching": "profile_id", "profile_id": "00" * 12},
        {"db_id": 2, "email": "ann@alone.test"},
        {"db_id": 3, "email": "ann@alone.test"},
        {"db_id": 2**70, "email": "ann@alone.test"},
        {"resource_id": 25, "email": "ann@alone.test"},
        {"matching": "push_sub", **alone, "resource_id": 25},
        {"matching": "push_sub", **alone, "resource_id": 29},
        {"token": "other-token", "email": "ann@alone.test"},
        {"token": "other-token", "matching": "profile_id", "profile_id": ann["_id"]},
    ]

    for by in missing:
        answer = await get(patient, **by)
        assert (by, answer["error"], answer["error_text"]) == (by, 404, "Not found")


@pytest.mark.promise("P-HTTP-28", "P-OPS-11")
async def test_one_alike_in_another_database_is_neither_found_nor_counted(patient: Running) -> None:
    alike = {"email": "ann@alike.test", "interests": ["alike"]}
    ann, _ = await stored(patient, alike), await stored(patient, alike, account=2)

    for by in ({"email": "ann@alike.test"}, {"matching": "custom", "field_name": "interests", "field_value": "alike"}):
        assert (await get(patient, **by)).get("data") == ann


@pytest.mark.promise("P-HTTP-28", "P-MATCH-09")
async def test_several_profiles_are_a_conflict(patient: Running) -> None:
    shared = NEWS | {"email": "shared@good.test"}
    for name in ("one", "two"):
        await stored(patient, {"email": f"{name}@several.test", "interests": ["shared"]}, shared)

    for by in ({"email": "shared@good.test"}, {"matching": "custom", "field_name": "interests", "field_value": "shared"}):
        assert (await get(patient, **by))["error"] == 409


@pytest.mark.promise("P-HTTP-07", "P-BATCH-15")
async def test_a_search_that_makes_no_sense_is_refused_by_name(patient: Running) -> None:
    mistakes: dict[str, Json] = {
        "email": {},
        "email: Incorrect email": {"email": "ann"},
        "phone": {"matching": "phone"},
        "field_name": {"matching": "custom", "field_name": "nobody", "field_value": 1},
        "field_value": {"matching": "custom", "field_name": "crm"},
        "data: unknown parameter": {"email": "a@b.test", "data": []},
        "resource_id: the resource's channel is push, not email": {"email": "a@b.test", "resource_id": 28},
        "resource_id: the resource's channel is email, not push": {"matching": "push_sub", **DEVICE, "resource_id": 24},
        "resource_id: the resource belongs to another database": {"matching": "push_sub", **DEVICE, "resource_id": 30},
    }

    for named, by in mistakes.items():
        answer = await get(patient, **by)
        assert (answer["error"], named in answer["error_debug"]) == (400, True), answer


@pytest.mark.promise("P-APPLY-15")
@pytest.mark.parametrize("path", ["profiles/get", "campaigns/triggers/import_and_start_batch"])
async def test_a_field_that_is_being_indexed_is_not_matched_by_yet(patient: Running, path: str) -> None:
    await patient.pool.execute(
        "INSERT INTO refilings (database, fields) SELECT id, '{crm}' FROM databases WHERE account = 1 AND number = 1"
    )
    body: Json = {"db_id": 1} if path == "profiles/get" else {"trigger_id": 8, "data": [{"data": {"crm": "A-1"}}]}
    answer = await patient.post(path, None, **body, matching="custom", field_name="crm", field_value="A-1")
    await patient.pool.execute("DELETE FROM refilings")

    assert (answer.status_code, answer.json()["error_text"]) == (409, "Field is being indexed")
