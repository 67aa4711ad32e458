"""Trigger campaigns are added and changed by requests, as the file of `profuse apply` would."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from ingest.endpoints import declaring
from store.configuration import converting, storage
from store.configuration.model import Key, Kind, Stored
from tests.kafka.gateway.running import GOOD, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD, UPDATE = "campaigns/triggers/add", "campaigns/triggers/update"
CONFIGURER = {"Authorization": "Bearer configurer-token"}
MESSAGE: Json = {
    "subject": "Привет, {lead._fname}",
    "from_email": "Demo@ПРИМЕР.рф",
    "from_name": 'Ann "A" O\'Hara, Sales',
    "html": "<p>Hi</p>",
}
NEW: Json = {"name": "New", "list_id": 1, "trigger_type": "api_call", "send_channel": "email", "content": [MESSAGE]}


async def configure(world: Running, path: str, given: Json, **headers: str) -> httpx2.Response:
    return await world.raw(path, json.dumps(given).encode(), {**CONFIGURER, **headers})


async def added(world: Running, **changes: Any) -> int:
    answer = await configure(world, ADD, {**NEW, **changes})

    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


async def shown(world: Running, number: int, **token: str) -> Json:
    trigger: Json = (await world.post("campaigns/triggers/get", None, id=number, **token)).json()["data"]
    return trigger


@pytest.mark.promise("P-FAMILY-12")
async def test_one_that_is_added_has_the_next_number_is_shown_as_it_was_given_and_can_be_started_at_once(patient: Running) -> None:
    first = await added(patient)
    second = await added(patient, resource_id=24, skip_minutes=5, is_active=None, fields=None)

    assert second == first + 1
    assert await shown(patient, first) == {
        "id": first,
        "name": "New",
        "is_active": True,
        "trigger_type": "api_call",
        "list_id": 1,
        "resource_id": None,
        "send_channel": "email",
        "skip_minutes": 0,
        "unconditional_sending": False,
        "fields": None,
        "provider": None,
        "pace": None,
        "spread": None,
        "content": [{**MESSAGE, "from_email": "Demo@xn--e1afmkfd.xn--p1ai", "text": "Hi"}],
    }
    assert (await shown(patient, second))["skip_minutes"] == 5
    accepted = await patient.send(path="campaigns/triggers/import_and_start_batch_task", trigger_id=second, data=[GOOD])
    assert accepted.status_code == 200, accepted.text


# what is sent: a campaign of an account that has providers of all channels
OF_EVERY_CHANNEL: dict[str, Json] = {
    "a mail": {"send_channel": "email", "content": [MESSAGE]},
    "a mail with its plain part": {"send_channel": "email", "resource_id": 24, "content": [MESSAGE | {"text": "Hi\nthere"}]},
    "a mail that has no plain part": {"send_channel": "email", "content": [MESSAGE | {"html": "<br>"}]},
    "a mail of nobody's name": {"send_channel": "email", "content": [MESSAGE | {"from_name": None}]},
    "a mail with styles": {"send_channel": "email", "inline_css": True, "content": [MESSAGE]},
    "a text": {"send_channel": "sms", "provider": ["more texts", "texts"], "content": [{"text": "Hi"}]},
    "a push message": {"send_channel": "push", "provider": "pushes", "resource_id": 28, "content": [{"text": "Hi"}]},
    "a push message with a title": {
        "send_channel": "push",
        "provider": "pushes",
        "resource_id": 28,
        "content": [{"text": "Hi", "title": "Hello"}],
    },
    "a push message with a link": {
        "send_channel": "push",
        "provider": "pushes",
        "resource_id": 28,
        "content": [{"text": "Hi", "link": "https://example.com/"}],
    },
    "a webhook": {"send_channel": "webhook", "provider": "hooks", "content": [{"body": '{"to": "{lead.email}"}'}]},
    "one that an import starts": {"send_channel": "email", "trigger_type": "api_import", "content": [MESSAGE]},
    "one that a change starts": {"send_channel": "email", "trigger_type": "update", "content": [MESSAGE]},
    "one that a change of some fields starts": {
        "send_channel": "email",
        "trigger_type": "update",
        "fields": ["crm", "_fname"],
        "content": [MESSAGE],
    },
    "one that no field starts": {"send_channel": "email", "trigger_type": "update", "fields": [], "content": [MESSAGE]},
    "one that is off and takes its time": {
        "send_channel": "email",
        "is_active": False,
        "skip_minutes": 9,
        "pace": 5,
        "spread": 3,
        "unconditional_sending": True,
        "content": [MESSAGE],
    },
}


@pytest.mark.promise("P-FAMILY-12")
@pytest.mark.parametrize("what", OF_EVERY_CHANNEL)
async def test_what_is_shown_can_be_given_back_and_changes_nothing(patient: Running, what: str) -> None:
    token = {"token": "channels-token"}
    given = {"name": "Any", "list_id": 1, "trigger_type": "api_call", **token, **OF_EVERY_CHANNEL[what]}
    made = await patient.post(ADD, None, **given)
    assert made.status_code == 200, made.text
    before = await shown(patient, made.json()["id"], **token)

    answer = await patient.post(UPDATE, None, **token, **before)

    assert answer.status_code == 200, answer.text
    assert await shown(patient, made.json()["id"], **token) == before


@pytest.mark.promise("P-FAMILY-12", "P-FAMILY-07")
async def test_a_change_leaves_what_it_does_not_give_and_gives_a_message_whole(patient: Running) -> None:
    number = await added(patient, skip_minutes=7)
    before = await shown(patient, number)

    renamed = await configure(patient, UPDATE, {"id": str(number), "name": "Новое имя", "is_active": False, "skip_minutes": None})
    assert renamed.status_code == 200, renamed.text
    assert await shown(patient, number) == before | {"name": "Новое имя", "is_active": False}
    lacking = await configure(patient, UPDATE, {"id": number, "content": [{"subject": "Only this"}]})
    assert (lacking.status_code, lacking.json()["error_debug"]) == (400, "content[0].from_email: a trigger of channel email must have it")
    written = {"subject": "S", "from_email": "a@b.test", "html": "<b>x</b>"}
    assert (await configure(patient, UPDATE, {"id": number, "content": [written]})).status_code == 200
    assert (await shown(patient, number))["content"] == [{**written, "from_name": "", "text": "x"}]


@pytest.mark.promise("P-FAMILY-12", "P-REQID-02", "P-REQID-05", "P-REQID-06")
async def test_a_repeat_adds_nothing_and_is_told_so(patient: Running) -> None:
    first, repeat = [await configure(patient, ADD, NEW, **{"Request-ID": "new-trigger"}) for _ in range(2)]
    other = await configure(patient, ADD, {**NEW, "name": "Other"}, **{"Request-ID": "new-trigger"})

    assert (first.status_code, repeat.json()) == (200, first.json())
    assert "Duplicate-Request" not in first.headers
    assert (repeat.headers["Duplicate-Request"], repeat.headers["Duplicate-Key"]) == ("true", "new-trigger")
    assert (other.status_code, other.json()["error_text"]) == (422, "Request-ID reused")
    listed = (await patient.post("campaigns/triggers/list", None)).json()["data"]
    assert listed[-1]["id"] == first.json()["id"]


@pytest.mark.promise("P-FAMILY-12")
async def test_who_was_refused_may_use_the_id_again(patient: Running) -> None:
    wrong = await configure(patient, ADD, {**NEW, "list_id": 77}, **{"Request-ID": "again"})
    right = await configure(patient, ADD, NEW, **{"Request-ID": "again"})

    assert (wrong.status_code, right.status_code) == (404, 200), right.text
    assert "Duplicate-Request" not in right.headers


@pytest.mark.promise("P-FAMILY-12")
async def test_many_at_once_get_numbers_of_their_own(patient: Running) -> None:
    numbers = await asyncio.gather(*(added(patient, name=f"One of many {number}") for number in range(12)))

    assert len(set(numbers)) == 12


@pytest.mark.promise("P-FAMILY-12", "P-LAUNCH-40")
async def test_a_mail_that_takes_longer_to_convert_than_a_transaction_may_last_is_taken_all_the_same(
    patient: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converting, "_SECONDS", 6)
    wide = "<p " + " ".join(f"a{number}=1" for number in range(50_001)) + ">"
    adding = asyncio.create_task(added(patient, content=[{"subject": "S", "from_email": "a@b.test", "html": wide}]))
    others = 0
    while not adding.done():
        assert (await patient.post("campaigns/triggers/list", None)).status_code == 200
        others += 1
    switched = await configure(patient, UPDATE, {"id": await adding, "is_active": False})

    assert others > 20
    assert switched.status_code == 200, switched.text


@pytest.mark.promise("P-FAMILY-12", "P-LAUNCH-40")
async def test_each_long_mail_is_converted_once_however_many_come_at_once(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[str] = []
    convert = converting._apart

    def noted(what: str, html: str) -> str | None:
        converted.append(html)
        return convert(what, html)

    monkeypatch.setattr(converting, "_apart", noted)
    mails = [f"<p>Mail {turn}</p>" * 2_000 for turn in range(6)]
    await asyncio.gather(*(added(patient, content=[{"subject": "S", "from_email": "a@b.test", "html": html}]) for html in mails))

    assert sorted(converted) == sorted(mails)


WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.mark.promise("P-FAMILY-12", "P-OPS-17")
async def test_however_many_ask_they_take_one_connection_at_a_time(patient: Running) -> None:
    async with patient.pool.acquire() as connection, connection.transaction():
        # Somebody applies a file.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"apply {patient.settings.prefix}")
        asking = [asyncio.create_task(added(patient)) for _ in range(20)]
        while not await connection.fetchval(WAITING):
            await asyncio.sleep(0.01)
        # As many round trips as the others would need to come as far.
        most = max([await connection.fetchval(WAITING) for _ in range(50)])

    assert len(set(await asyncio.gather(*asking))) == 20
    assert most == 1


@pytest.mark.promise("P-FAMILY-12")
async def test_what_is_changed_while_a_request_waits_for_its_turn_stays(patient: Running) -> None:
    number = await added(patient)
    async with patient.pool.acquire() as connection, connection.transaction():
        # Somebody applies a file.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"apply {patient.settings.prefix}")
        stopping = asyncio.create_task(configure(patient, UPDATE, {"id": number, "is_active": False}))
        while not await connection.fetchval(WAITING):
            await asyncio.sleep(0.01)
        await connection.execute("UPDATE triggers SET name = 'By the file' WHERE number = $1", number)

    assert (await stopping).status_code == 200
    assert [(await shown(patient, number))[key] for key in ("name", "is_active")] == ["By the file", False]


@pytest.mark.promise("P-FAMILY-12", "P-FAMILY-08")
async def test_what_was_stored_before_there_was_a_bound_is_shown_and_can_be_stopped_but_not_said_of_another(patient: Running) -> None:
    number, name, html = await added(patient), "n" * 300, "x" * 1_000_001
    await patient.pool.execute("UPDATE triggers SET name = $2, html = $3 WHERE number = $1", number, name, html)
    listed = (await patient.post("campaigns/triggers/list", None, from_id=number, limit=1)).json()["data"]
    stopped = await configure(patient, UPDATE, {"id": number, "is_active": False})
    other = await configure(patient, UPDATE, {"id": 8, "name": name})
    now = await shown(patient, number)

    assert [each["name"] for each in listed] == [name[:255]]
    assert (stopped.status_code, other.status_code) == (200, 400)
    assert (now["name"], now["content"][0]["html"], now["is_active"]) == (name, html, False)


@pytest.mark.promise("P-FAMILY-14")
async def test_an_account_has_no_more_campaigns_than_each_request_can_look_at(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await added(patient)
    campaigns = await patient.pool.fetchval("SELECT count(*) FROM triggers WHERE account = 1")
    monkeypatch.setattr(declaring, "MOST", campaigns)
    refused = await configure(patient, ADD, NEW)
    changed = await configure(patient, UPDATE, {"id": number, "name": "Other"})

    assert (refused.status_code, refused.json()["error_debug"]) == (
        400,
        f"an account has at most {campaigns} trigger campaigns: change one that is not needed any more",
    )
    assert changed.status_code == 200


@pytest.mark.promise("P-FAMILY-14")
async def test_a_change_of_one_reads_no_message_of_another(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    number, other = await added(patient), await added(patient)
    loaded: list[Stored] = []
    load = storage.load

    async def note(*given: Any, **named: Any) -> Stored:
        loaded.append(await load(*given, **named))
        return loaded[-1]

    monkeypatch.setattr(storage, "load", note)
    assert (await configure(patient, UPDATE, {"id": number, "name": "Other"})).status_code == 200
    assert (await configure(patient, ADD, NEW)).status_code == 200

    read = [[stored.things[Key(Kind.TRIGGER, 1, each)]["html"] for each in (number, other)] for stored in loaded]
    assert read == [["<p>Hi</p>", None]] * 2 + [[None, None]] * 2


# what is wrong: (path, what is given, status, what is named)
REFUSED: dict[str, tuple[str, Json, int, str]] = {
    "no name": (ADD, {key: value for key, value in NEW.items() if key != "name"}, 400, "name: required"),
    "a name of two lines": (ADD, NEW | {"name": "a\r\nb"}, 400, "name: must be one line of text"),
    "a name without an end": (ADD, NEW | {"name": "n" * 256}, 400, "name: must have at most 255 characters"),
    "a longer name": (UPDATE, {"id": 8, "name": "n" * 9_000_000}, 400, "name: must have at most 255 characters"),
    "a long subject": (
        ADD,
        NEW | {"content": [MESSAGE | {"subject": "s" * 999}]},
        400,
        "content[0].subject: must have at most 998 characters",
    ),
    "a long sender": (ADD, NEW | {"content": [MESSAGE | {"from_name": "s" * 999}]}, 400, "content[0].from_email: must have at most 998"),
    "a long message": (
        UPDATE,
        {"id": 8, "content": [MESSAGE | {"html": "x" * 1_000_001}]},
        400,
        "content[0].html: must have at most 1,000,000 characters",
    ),
    "fields without an end": (
        ADD,
        NEW | {"trigger_type": "update", "fields": ["crm"] * 1_001},
        400,
        "fields: must have at most 1,000 entries",
    ),
    "a long provider": (ADD, NEW | {"provider": "p" * 256}, 400, "provider[0]: "),
    "a type that there is none of": (ADD, NEW | {"trigger_type": "pixel"}, 400, "trigger_type: "),
    "a channel that nothing leaves by": (ADD, NEW | {"send_channel": "telegram_bot"}, 400, "send_channel: must be one of"),
    "a database that nobody has": (ADD, NEW | {"list_id": 77}, 404, "list_id"),
    "no database, and two to choose from": (ADD, {key: value for key, value in NEW.items() if key != "list_id"}, 400, "list_id: required"),
    "a resource that nobody has": (ADD, NEW | {"resource_id": 2424}, 404, "resource_id"),
    "another database's resource": (ADD, NEW | {"resource_id": 30}, 400, "resource_id: database of resource 30 is 2"),
    "no message": (ADD, NEW | {"content": []}, 400, "content: "),
    "two messages": (ADD, NEW | {"content": [MESSAGE, MESSAGE]}, 400, "content: "),
    "a message of another channel": (
        ADD,
        NEW | {"content": [MESSAGE | {"title": "x"}]},
        400,
        "content[0].title: a trigger of",
    ),
    "a condition without an end": (
        ADD,
        NEW | {"content": [MESSAGE | {"html": "{if lead.a equal 1}x"}]},
        400,
        "content[0].html: line 1, column 1: the condition has no {end}",
    ),
    "a sender that is none": (
        ADD,
        NEW | {"content": [MESSAGE | {"from_email": "nobody"}]},
        400,
        "content[0].from_email: must be an",
    ),
    "a sender that smuggles a header": (
        ADD,
        NEW | {"content": [MESSAGE | {"from_name": "x\r\nBcc: y@z.test"}]},
        400,
        "content[0].from_email: must be one line",
    ),
    "a sender's name alone": (ADD, NEW | {"content": [{"from_name": "Ann"}]}, 400, "content[0].from_email: required"),
    "a template of the original's": (ADD, NEW | {"content": [{"message_id": 7}]}, 400, "content.0.message_id: "),
    "what the original takes and we do not": (ADD, NEW | {"policy_id": 3}, 400, "policy_id: unknown parameter"),
    "an SMS without a provider": (
        ADD,
        NEW | {"send_channel": "sms", "content": [{"text": "x"}]},
        400,
        "provider: account 1 has no provider of channel sms",
    ),
    "a provider that nobody has": (ADD, NEW | {"provider": "none"}, 400, "provider: account 1 has no provider none"),
    "a wait of more than a year": (ADD, NEW | {"skip_minutes": 366 * 24 * 60}, 400, "skip_minutes: "),
    "fields of one that starts whatever changed": (ADD, NEW | {"fields": ["crm"]}, 400, "fields: only a trigger of type update"),
    "a field that nobody declared": (
        ADD,
        NEW | {"trigger_type": "update", "fields": ["crm", "nothing"]},
        400,
        "fields[1]: the database has no field nothing",
    ),
    "a number that nobody has": (UPDATE, {"id": 10**9, "name": "x"}, 404, "id"),
    "a number beyond all": (UPDATE, {"id": 10**12, "name": "x"}, 404, "id"),
    "a stranger's": (UPDATE, {"id": 99, "name": "x"}, 404, "id"),
    "another database": (UPDATE, {"id": 8, "list_id": 2}, 400, "list_id: cannot change from 1 to 2"),
    "another channel": (UPDATE, {"id": 8, "send_channel": "sms"}, 400, "send_channel: cannot change from email"),
    "no number": (UPDATE, {"name": "x"}, 400, "id: required"),
    "a state in words": (UPDATE, {"id": 8, "is_active": "no"}, 400, "is_active: "),
}


@pytest.mark.promise("P-FAMILY-12", "P-FAMILY-08")
@pytest.mark.parametrize("wrong", REFUSED)
async def test_what_apply_would_refuse_is_refused_by_the_name_that_the_request_has_for_it(patient: Running, wrong: str) -> None:
    path, given, status, named = REFUSED[wrong]
    before = await shown(patient, 8)
    answer = await configure(patient, path, given)

    assert (answer.status_code, answer.json().get("error_debug", "")[: len(named)]) == (status, named), answer.text
    assert await shown(patient, 8) == before


@pytest.mark.promise("P-FAMILY-12")
async def test_whoever_may_not_configure_changes_nothing(patient: Running) -> None:
    for path in (ADD, UPDATE):
        assert (await patient.post(path, None, **NEW)).status_code == 403
