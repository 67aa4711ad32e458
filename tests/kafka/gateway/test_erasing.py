"""`profiles/delete`: one profile, found as `profiles/get` finds it, is gone; also while it is being imported."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from schemas.ids import new_id, unpack
from tests.kafka.gateway.running import Json, Running
from tests.kafka.gateway.test_profiles import NEWS, RINGING, get, stored
from tests.kafka.hosting import hosted

pytestmark = pytest.mark.asyncio(loop_scope="session")

ERASER = "eraser-token"
GONE = {"provider": "ios-apns", "subscription_id": "gone"}


async def delete(world: Running, token: str = ERASER, **by: object) -> Json:
    answer = await world.post("profiles/delete", None, **{"token": token, "db_id": 1, **by})
    body: Json = answer.json()
    assert answer.status_code == body["error"] or (answer.status_code, body["error"]) == (200, 0)
    return body


@pytest.mark.promise("P-ERASE-05")
@pytest.mark.parametrize(
    "by",
    [
        {"email": "ann@gone.test"},
        {"email": "news@gone.test", "resource_id": 24},
        {"matching": "phone", "phone": "+79000000077"},
        {"matching": "push_sub", **GONE, "resource_id": 28},
        {"matching": "custom", "field_name": "crm", "field_value": "G-1"},
        {"matching": "custom", "field_name": "interests", "field_value": "gone"},
        {"matching": "profile_id", "profile_id": "ID"},
    ],
)
async def test_a_profile_is_erased_by_each_mode(patient: Running, by: Json) -> None:
    data = {"email": "ann@gone.test", "phones": ["+79000000077"], "crm": "G-1", "interests": ["gone"]}
    ann = await stored(patient, data, NEWS | {"email": "news@gone.test"}, RINGING | GONE)
    named = {name: ann["_id"] if value == "ID" else value for name, value in by.items()}
    answer = await delete(patient, **named)

    assert answer == {"error": 0, "error_text": "Successful operation", "profile_id": ann["_id"]}
    assert ((await get(patient, **named))["error"], (await delete(patient, **named))["error"]) == (404, 404)
    profile = bytes.fromhex(ann["_id"])
    for table in ("identities", "erasures"):
        assert await patient.pool.fetchval(f"SELECT count(*) FROM {table} WHERE profile = $1", profile) == 0  # noqa: S608


@pytest.mark.promise("P-ERASE-05")
async def test_none_several_and_a_lack_of_the_right_change_nothing(patient: Running) -> None:
    shared = NEWS | {"email": "both@several.test"}
    ringing = [RINGING | GONE, RINGING | GONE | {"resource_id": 29}]
    both = [
        await stored(patient, {"email": f"{name}@erased.test"}, shared, rings) for name, rings in zip(("one", "two"), ringing, strict=True)
    ]
    answers = [
        await delete(patient, email="nobody@erased.test"),
        await delete(patient, matching="profile_id", profile_id=new_id().hex()),
        await delete(patient, email="both@several.test"),
        await delete(patient, matching="push_sub", **GONE),
        await delete(patient, matching="push_sub", **GONE, resource_id=2929),
        await delete(patient, matching="push_sub", **GONE, resource_id=24),
        await delete(patient, db_id=2, email="one@erased.test"),
        await delete(patient, token="abcdefghijklmnqrstuvwxyz", email="one@erased.test"),
        await delete(patient, email=None),
    ]

    assert [answer["error"] for answer in answers] == [404, 404, 409, 409, 404, 400, 404, 403, 400]
    assert [(await get(patient, email=each["email"]))["data"] for each in both] == both


@pytest.mark.promise("P-ERASE-07")
async def test_profiles_are_erased_while_they_are_imported(patient: Running) -> None:
    """Three requests at a time name the same fifty people, and somebody erases whoever is there, as fast as it goes."""
    people = [f"p{number}@storm.test" for number in range(50)]
    erased: list[str] = []
    done = asyncio.Event()

    async def keep_importing() -> list[Json]:
        entries: list[Json] = []
        while len(erased) < 100:
            items = [{"data": {"email": email, "_fname": str(len(erased))}, "custom_data": {"n": 1}} for email in people]
            answer = (await patient.send(data=items)).json()
            entries += answer["result"]
        return entries

    async def keep_erasing(first: int) -> None:
        while not done.is_set():
            for email in people[first::2]:
                answer = await delete(patient, email=email)
                assert answer["error"] in (0, 404), answer
                erased.extend([answer["profile_id"]] if answer["error"] == 0 else [])

    async with hosted("matcher", patient.settings), asyncio.TaskGroup() as tasks:
        importing: list[Any] = [tasks.create_task(keep_importing()) for _ in range(3)]
        for first in range(2):
            tasks.create_task(keep_erasing(first))
        await asyncio.wait(importing)
        done.set()

    entries = [entry for task in importing for entry in task.result()]
    assert [entry for entry in entries if set(entry) != {"profile_id"}] == []
    assert len(erased) == len(set(erased))
    assert not set(erased) & {row[0].hex() for row in await patient.pool.fetch("SELECT id FROM profiles")}
    assert await patient.pool.fetchval("SELECT count(*) FROM identities WHERE profile <> ALL (SELECT id FROM profiles)") == 0
    stripped = await patient.pool.fetch("SELECT items, profiles, custom_data::text FROM results")
    kept = {id_.hex() for row in stripped for item, id_ in zip(row[0], unpack(row[1]), strict=True) if str(item) in json.loads(row[2])}
    assert not set(erased) & kept


@pytest.mark.promise("P-REQID-13", "P-REQID-04")
async def test_an_erasure_that_is_repeated_while_it_is_done_finds_somebody(patient: Running) -> None:
    body = json.dumps({"token": ERASER, "db_id": 1, "email": "at-once@gone.test"}).encode()
    who = await stored(patient, {"email": "at-once@gone.test"})
    answers = await asyncio.gather(*(patient.raw("profiles/delete", body, {"Request-ID": "erase-at-once"}) for _ in range(8)))
    repeat = await patient.raw("profiles/delete", body, {"Request-ID": "erase-at-once"})

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert repeat.json()["profile_id"] == who["_id"]


@pytest.mark.promise("P-REQID-13", "P-REQID-05", "P-REQID-06")
async def test_a_repeat_is_told_what_the_first_was_and_a_refusal_leaves_the_id_free(patient: Running) -> None:
    async def asked(email: str) -> httpx2.Response:
        body = json.dumps({"token": ERASER, "db_id": 1, "email": email}).encode()
        return await patient.raw("profiles/delete", body, {"Request-ID": "erase-1"})

    nobody = await asked("twice@gone.test")
    twice = await stored(patient, {"email": "twice@gone.test"})
    first, repeat = await asked("twice@gone.test"), await asked("twice@gone.test")
    other = await asked("other@gone.test")

    assert (nobody.status_code, first.json()["profile_id"]) == (404, twice["_id"])
    assert (repeat.status_code, repeat.json(), repeat.headers["Duplicate-Request"]) == (200, first.json(), "true")
    assert "Duplicate-Request" not in first.headers
    assert other.status_code == 422
