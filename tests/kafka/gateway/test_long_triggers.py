"""Mails that take seconds to convert keep nobody else from configuring."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ingest.admission.turns import NoTurn, Turns
from store.configuration import converting
from tests.kafka.gateway.running import Json, Running
from tests.kafka.gateway.test_triggers import ADD, MESSAGE, NEW, UPDATE, WAITING, added, configure, shown

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Nobody can convert it.
_ENDLESS = "<style>" + "".join(f"*{{a{number}:b}}" for number in range(3_000)) + "</style>" + "<b>" * 20_000
_OTHERS: Json = {"name": "Any", "list_id": 1, "trigger_type": "api_call", "send_channel": "email", "token": "channels-token"}


@pytest.mark.promise("P-FAMILY-12", "P-OPS-50")
async def test_however_many_long_mails_one_account_asks_for_others_add_theirs(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_SECONDS", 2)
    endless = NEW | {"inline_css": True, "content": [MESSAGE | {"html": _ENDLESS}]}
    asking = [asyncio.create_task(configure(patient, path, endless | more)) for path, more in [(ADD, {})] * 8 + [(UPDATE, {"id": 8})] * 4]
    _, waiting = await asyncio.wait(asking, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    for html in ("<p>Hi</p>", "<p style='color: red'>Hi</p>" * 1_000):
        answer = await patient.post(ADD, None, **_OTHERS, content=[MESSAGE | {"html": html}])
        assert answer.status_code == 200, answer.text
        assert (await configure(patient, ADD, NEW)).status_code == 200

    assert any(not task.done() for task in waiting)
    answers = await asyncio.gather(*asking)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {400, 429}
    assert len(refused) >= 4
    assert {(answer.headers["Retry-After"], answer.json()["error_debug"]) for answer in refused} == {
        ("5", "content: too many long messages are being made")
    }


@pytest.mark.promise("P-FAMILY-12", "P-OPS-50")
async def test_nobody_waits_for_a_mail_that_is_converted_again_as_its_campaign_was_changed(
    patient: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, again, may_end = await added(patient), threading.Event(), threading.Event()
    converted, convert = [], converting._apart

    def noted(what: str, html: str) -> str | None:
        converted.append(what)
        if len(converted) == 2:
            again.set()
            assert may_end.wait(60)
        return convert(what, html)

    monkeypatch.setattr(converting, "_apart", noted)
    async with patient.pool.acquire() as connection, connection.transaction():
        # Somebody applies a file.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"apply {patient.settings.prefix}")
        content = [MESSAGE | {"html": "<p>Long</p>" * 1_000}]
        changing = asyncio.create_task(configure(patient, UPDATE, {"id": number, "content": content}, **{"Request-ID": "changing"}))
        while not await connection.fetchval(WAITING):
            await asyncio.sleep(0.01)
        await connection.execute("UPDATE triggers SET name = 'By the file' WHERE number = $1", number)
    await asyncio.to_thread(again.wait, 60)
    other = await patient.post(ADD, None, **_OTHERS, content=[MESSAGE])
    switched = await configure(patient, UPDATE, {"id": 8, "is_active": True})
    may_end.set()

    assert (other.status_code, switched.status_code, (await changing).status_code) == (200, 200, 200)
    assert (await shown(patient, number))["name"] == "By the file"
    assert (await shown(patient, number))["content"][0]["text"].split() == ["Long"] * 1_000


@pytest.mark.promise("P-FAMILY-12")
async def test_a_campaign_is_stopped_while_its_account_has_long_mails_converted(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    number = await added(patient, content=[MESSAGE | {"html": "<p>Long</p>" * 1_000}])
    begun, may_end, convert = threading.Event(), threading.Event(), converting._apart

    def held(what: str, html: str) -> str | None:
        begun.set()
        assert may_end.wait(60)
        return convert(what, html)

    monkeypatch.setattr(converting, "_apart", held)
    adding = asyncio.create_task(added(patient, content=[MESSAGE | {"html": "<p>Longer</p>" * 1_000}]))
    await asyncio.to_thread(begun.wait, 60)
    stopped = await configure(patient, UPDATE, {"id": number, "is_active": False})
    may_end.set()
    await adding

    assert stopped.status_code == 200, stopped.text


# In the text a condition would decide otherwise: none is made of it.
_WITHOUT_TEXT = "<p>Long</p>" * 1_000 + "<p title='{if lead.x}'>a{end}</p>"


@pytest.mark.promise("P-FAMILY-12", "P-REQID-02")
async def test_neither_a_stop_nor_a_repeat_waits_for_a_turn(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    long, repeated = NEW | {"content": [MESSAGE | {"html": "<p>Long</p>" * 1_000}]}, {"Request-ID": "repeated-long-mail"}
    number = await added(patient, content=[MESSAGE | {"html": _WITHOUT_TEXT}])
    first = await configure(patient, ADD, long, **repeated)
    assert (await shown(patient, number))["content"][0]["text"] in (None, "")

    @asynccontextmanager
    async def no_turn(*_: object) -> AsyncIterator[None]:
        raise NoTurn
        yield

    monkeypatch.setattr(Turns, "of", no_turn)
    assert (await configure(patient, ADD, long)).status_code == 429
    stopped = await configure(patient, UPDATE, {"id": number, "is_active": False})
    again = await configure(patient, ADD, long, **repeated)

    assert stopped.status_code == 200, stopped.text
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"]), again.text
    assert (await shown(patient, number))["content"][0]["text"] in (None, "")
