"""What leaves by HTTP, and what each answer means."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from schemas.templating.filling import check_leaves
from schemas.templating.json_templates import parsed
from schemas.templating.templates import IncorrectTemplate
from tests.calling import poster
from tests.launching import NOBODY, campaign, launch, no_more
from tests.unit.launcher.channels.conftest import SECRET, Rowless, Way, provider, way_of
from tests.unit.launcher.channels.destinations import HttpProvider
from workers.launcher.channels.channel import Deferred, Gone, Rejected, Unavailable
from workers.launcher.channels.http.messages import compose
from workers.launcher.channels.http.posting import Posting
from workers.launcher.deliver import holds
from workers.launcher.deliver.endings import Ended, Held, PutOff
from workers.launcher.deliver.paces import Paces
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.sending import Sending
from workers.launcher.deliver.suspicions import ALIKE
from workers.launcher.model import Due, Ending, Outcome, Profile, Provider


@pytest.fixture
async def sms() -> AsyncIterator[Way]:
    async with way_of("sms") as way:
        yield way


async def attempted(way: Way, raw: bytes = b"", **changes: Any) -> Ended:
    assert isinstance(way.destination, HttpProvider)
    way.destination.raw = raw or None
    async with way.destination.open():
        return await way.attempt(way.launch("ok-1", **changes))


def answer(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", "")).encode()


@pytest.mark.promise("P-LAUNCH-17", "P-OUT-01")
@pytest.mark.parametrize(("name", "members"), [
    ("sms", {"address": "+79000000001", "text": "Hi Ann & Bob"}),
    ("push", {"provider": "ios", "subscription_id": "device-1", "title": "T", "text": "Hi Ann & Bob", "link": "https://shop.test/?n=Ann%20%26%20Bob"}),
    ("webhook", {"body": {"hi": "Ann & Bob"}}),
])  # fmt: skip
async def test_a_message_is_signed_and_says_who_it_is_for(name: str, members: dict[str, Any]) -> None:
    async with way_of(name) as way:
        await attempted(way, lead={"name": "Ann & Bob"}, content={"page": "/"})
        (body,), (head,) = way.destination.bodies, way.destination.heads

    Webhook(SECRET).verify(body, head)
    whole = json.loads(body)
    assert whole["type"] == "launch"
    assert head["idempotency-key"] == head["webhook-id"] == whole["data"]["launch_id"] == "ok-1"
    about = {"launch_id": "ok-1", "account_id": 1, "campaign_id": 8, "channel": name, "profile_id": "07" * 12}
    assert whole["data"] == {**about, **members, "content": {"page": "/"}, "custom_data": {"row": 1}}


@pytest.mark.promise("P-LAUNCH-17")
@pytest.mark.parametrize(("name", "says", "members"), [
    ("sms", {"text": "{lead.none}"}, {"text": ""}),
    ("sms", {"text": "{if lead.none}Hi{end}"}, {"text": ""}),
    ("push", {"text": "{lead.none}", "title": "{lead.none}", "link": "{lead.none}"}, {"text": "", "title": "", "link": ""}),
    ("push", {"text": "Hi", "title": "", "link": ""}, {"text": "Hi"}),
    ("webhook", {"body": '""'}, {"body": ""}),
], ids=str)  # fmt: skip
def test_what_a_trigger_says_is_a_member_also_where_nothing_comes_out(name: str, says: dict[str, Any], members: dict[str, Any]) -> None:
    data = json.loads(compose(launch(channel=name, **says), datetime.now(UTC)).body)["data"]

    assert {key: data[key] for key in ("text", "title", "link", "body") if key in data} == members


@pytest.mark.promise("P-LAUNCH-18")
@pytest.mark.parametrize(("raw", "means"), [
    (answer("200 OK"), Outcome(Ending.SEND)),
    (answer("204 No Content"), Outcome(Ending.SEND)),
    (answer("408 Slow"), PutOff("HTTP 408")),
    (answer("425 Early"), PutOff("HTTP 425")),
    (answer("429 Many"), Held("HTTP 429")),
    (answer("429 Many", "Retry-After: 7"), Held("HTTP 429")),
    (answer("500 Oh"), PutOff("HTTP 500")),
    (answer("503 Away"), PutOff("HTTP 503")),
    (answer("503 Away", "Retry-After: 7"), Held("HTTP 503")),
    (answer("502 Oh", "Retry-After: 7"), PutOff("HTTP 502", rest=7)),
    (answer("307 Moved", "Location: /"), Outcome(Ending.FAIL, "HTTP 307")),
    (answer("400 Bad"), Outcome(Ending.FAIL, "HTTP 400")),
    (answer("401 Who"), Outcome(Ending.FAIL, "HTTP 401")),
    (answer("410 Gone"), Outcome(Ending.FAIL, "HTTP 410")),
], ids=lambda given: given.split(b"\r\n")[0].decode()[9:] if isinstance(given, bytes) else "")  # fmt: skip
async def test_what_an_answer_means(sms: Way, raw: bytes, means: Ended) -> None:
    assert await attempted(sms, raw) == means


@pytest.mark.promise("P-LAUNCH-18")
async def test_a_provider_that_asks_for_time_gets_it(sms: Way) -> None:
    await attempted(sms, answer("429 Many", "Retry-After: 30"))

    again = await attempted(sms, answer("200 OK"))

    assert isinstance(again, Held)
    assert len(sms.destination.tried) == 1


@pytest.mark.parametrize("held_for", [None, -1.0])
async def test_what_others_know_of_a_rest_that_is_over_holds_nobody(sms: Way, held_for: float | None) -> None:
    assert sms.gate.shut(provider(sms.destination, "sms", held_for=held_for, why="HTTP 429")) is None
    assert sms.gate._holds.holding(["provider 1"]) is None


@pytest.mark.promise("P-OPS-50")
@pytest.mark.parametrize("status", ["400 Bad", "410 Gone", "500 Oh"])
async def test_whoever_is_refused_after_an_outage_shows_that_it_is_back(sms: Way, status: str) -> None:
    sms.gate._holds.hold("provider 1", "Connection refused", rest=0.0)
    await attempted(sms, answer(status))

    assert sms.gate._holds.holding(["provider 1"]) is None


@pytest.mark.promise("P-LAUNCH-35")
@pytest.mark.parametrize(("raw", "reached"), [
    (None, True),
    (answer("429 Many"), True),
    (answer("500 Oh"), False),
    (answer("422 No"), False),
    (b"nonsense\r\n\r\n", False),
], ids=["away", "429", "500", "422", "nobody knows"])  # fmt: skip
async def test_the_next_provider_is_tried_only_where_the_first_has_not_taken_it(sms: Way, raw: bytes | None, reached: bool) -> None:
    first, second = HttpProvider(), HttpProvider()
    async with first.open(), second.open():
        pass
    choice = (provider(first, "sms", id=1, name="first"), provider(second, "sms", id=2, name="second"))
    async with second.open():
        if raw is None:
            outcome = await sent(sms, choice)
        else:
            first.raw = raw
            async with first.open():
                outcome = await sent(sms, choice)

    assert (second.taken == ["ok-1"]) is reached
    assert (outcome == Outcome(Ending.SEND)) is reached


@pytest.mark.promise("P-LAUNCH-35")
async def test_nor_is_it_where_nobody_knows_what_became_of_one_that_was_let_through(sms: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "FIRST_PROBE", 0.0)
    first, second = HttpProvider(), HttpProvider()
    async with first.open():
        pass
    sending = Sending({"sms": sms.channel}, Rowless(), Paces(None))
    async with second.open():
        choice = (provider(first, "sms", id=1, name="first"), provider(second, "sms", id=2, name="second"))
        away = await sent(sms, choice, sending)
        first.raw = b"nonsense\r\n\r\n"
        async with first.open():
            probe = await sent(sms, choice, sending)

    assert (away, second.taken, first.tried) == (Outcome(Ending.SEND), ["ok-1"], ["ok-1"])
    assert isinstance(probe, PutOff)
    assert probe.doubted == "provider 1"


@pytest.mark.promise("P-LAUNCH-35")
@pytest.mark.parametrize(("raw", "doubted"), [
    (answer("408 Slow"), None),
    (answer("425 Early"), None),
    (answer("500 Oh"), "provider 1"),
    (answer("502 Bad Gateway"), "provider 1"),
    (answer("502 Bad Gateway", "Retry-After: 7"), "provider 1"),
    (answer("503 Away"), "provider 1"),
    (answer("504 Gateway Timeout"), "provider 1"),
], ids=["408", "425", "500", "502", "502 for a while", "503", "504"])  # fmt: skip
async def test_what_a_proxy_may_have_answered_after_it_was_taken_is_in_doubt(sms: Way, raw: bytes, doubted: str | None) -> None:
    first = HttpProvider()
    first.raw = raw
    async with first.open():
        several = await sent(sms, [provider(first, "sms", id=number) for number in (1, 2)])
        alone = await sent(sms, [provider(first, "sms")])

    assert isinstance(several, PutOff)
    assert isinstance(alone, PutOff)
    assert (several.doubted, several.in_doubt) == (doubted, False)
    # It knows its own again.
    assert (alone.doubted, alone.in_doubt) == (None, False)


@pytest.mark.promise("P-LAUNCH-35")
async def test_an_unwell_provider_that_may_have_taken_them_is_held_as_any_other(sms: Way) -> None:
    """Its launches wait for it, and those of whom it knows nothing go by the next one."""
    first, second, sending = HttpProvider(), HttpProvider(), Sending({"sms": sms.channel}, Rowless(), Paces(None))
    first.raw = answer("500 Oh")
    async with first.open(), second.open():
        ways = (provider(first, "sms", id=1), provider(second, "sms", id=2))
        refused = [await sent(sms, ways, sending, phone=f"+790000000{number}") for number in range(10, 10 + ALIKE)]
        after = await sent(sms, ways, sending)

    assert {each.doubted for each in refused if isinstance(each, PutOff)} == {"provider 1"}
    assert (len(refused), after, second.taken) == (ALIKE, Outcome(Ending.SEND), ["ok-1"])


@pytest.mark.promise("P-LAUNCH-35")
@pytest.mark.parametrize("known", [{"is_paused": True}, {"held_for": 20.0}, {"held_for": 20.0, "rate": 1}], ids=["paused", "held", "rated"])
async def test_one_that_takes_nothing_is_not_even_waited_for(sms: Way, known: dict[str, Any]) -> None:
    second = HttpProvider()
    async with sms.destination.open(), second.open():
        ways = (provider(sms.destination, "sms", id=1, **known), provider(second, "sms", id=2))
        outcome = await sent(sms, ways)

    assert (outcome, sms.destination.tried, second.taken) == (Outcome(Ending.SEND), [], ["ok-1"])


async def sent(
    way: Way, providers: Sequence[Provider], sending: Sending | None = None, phone: str = "+79000000001", **changes: Any
) -> Outcome | PutOff | Held:
    """What becomes of a launch that may go by any of these."""
    due = Due(0, "ok-1", NOBODY, lambda: Profile(NOBODY, {"phones": [phone], "email": "ann@shop.test"}))
    page = Page([due], way.launch("ok-1", providers=providers, **changes).campaign, [], lambda: True)
    sending = sending or Sending({way.name: way.channel}, Rowless(), Paces(None))
    async for _ in sending.send([page], no_more, asyncio.Event()):
        pass
    over = page.take()
    return {**over.ended, **over.held}[0]


async def test_an_account_without_a_provider_waits_for_one(sms: Way) -> None:
    assert await sent(sms, ()) == Held("the account has no provider")


@pytest.mark.promise("P-LAUNCH-34")
@pytest.mark.parametrize("slow", [1, 3])
async def test_providers_that_are_slow_leave_place_for_the_accounts_others(slow: int) -> None:
    async with AsyncExitStack() as stack:
        channel = Posting(await stack.enter_async_context(poster()), 64)
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        released = asyncio.Event()
        stack.callback(released.set)

        async def hang(number: int) -> None:
            async with channel.slot(campaign(), provider(HttpProvider(), "sms", id=number, concurrency=64, is_alone=False)):
                await released.wait()

        for number in range(slow):
            for _ in range(64):
                tasks.create_task(hang(number))
        await asyncio.sleep(0)
        async with asyncio.timeout(10), channel.slot(campaign(), provider(HttpProvider(), "sms", id=slow, is_alone=False)):
            pass


@pytest.mark.promise("P-LAUNCH-35")
@pytest.mark.parametrize("name", ["email", "sms"])
async def test_what_leaves_by_a_provider_that_is_switched_off_leaves_by_no_other_server(name: str) -> None:
    async with way_of(name) as way, way.destination.open():
        ended = await sent(way, (), named_providers=1)

    assert (ended, way.destination.tried) == (Held("no provider of its trigger's is active"), [])


async def test_one_that_is_paused_or_held_by_others_is_not_called(sms: Way) -> None:
    for known in ({"is_paused": True, "why": "gone"}, {"held_for": 20.0, "why": "HTTP 429"}):
        ended = await sms.attempt(sms.launch("ok-1", providers=(provider(sms.destination, "sms", **known),)))
        assert isinstance(ended, Held)
        assert str(known["why"]) in ended.why


@pytest.mark.promise("P-LAUNCH-36")
@pytest.mark.parametrize(("body", "problem"), [
    ("{", "line 1, column 2: is no JSON"),
    ('{"a": NaN}', "is no JSON (NaN is none of its numbers)"),
    ("[" + "9" * 5_000 + "]", "is no JSON (a number has more digits than can be read)"),
    ('"{if lead.x}"', "line 1, column 1: the condition has no {end}"),
    ('{"a": [0, "{if lead.x}"]}', ".a[1], line 1, column 1: the condition has no {end}"),
    ("[" * 40 + "]" * 40, "has more than 32 levels"),
    ("[" * 100_000, "is no JSON (nested too deeply)"),
], ids=["cut", "NaN", "many digits", "a condition without an end", "one inside", "deep", "very deep"])  # fmt: skip
def test_a_body_that_is_no_json_is_refused(body: str, problem: str) -> None:
    with pytest.raises(IncorrectTemplate, match="^" + re.escape(problem)):
        parsed(body)


@pytest.mark.promise("P-LAUNCH-36")
@pytest.mark.parametrize(("body", "problem"), [
    ('{"a": [1, 1e400]}', ".a[1] is a number that is too large to be sent"),
    ("-1e400", "it is a number that is too large to be sent"),
    ('{"a": {"b": "x\\ud800"}}', ".a.b has half a character, which cannot be sent"),
    ('"\\udfff"', "it has half a character, which cannot be sent"),
    ('{"a": {"\\udc00": 1}}', ".a.\\udc00 has half a character, which cannot be sent"),
    ('[{"a": 1, "b": {}, "a": 2}]', "has the member a more than once"),
])  # fmt: skip
def test_a_body_that_would_not_leave_as_it_is_written_is_refused_by_apply(body: str, problem: str) -> None:
    with pytest.raises(IncorrectTemplate, match=f"^{re.escape(problem)}$"):
        check_leaves(body)


@pytest.mark.promise("P-LAUNCH-36")
@pytest.mark.parametrize("body", [
    '{"a":"\\ud83d\\ude00","b":1e308,"c":123456789012345678901234567890,"d":[null,true,-0.5],"e":{"a":""}}',
    '{"a":"{if lead.x equal \\"pro\\"}1{else}2{end}"}',
])  # fmt: skip
def test_what_can_be_sent_is_taken_and_leaves(body: str) -> None:
    check_leaves(body)
    data = json.loads(compose(launch(channel="webhook", body=body), datetime.now(UTC)).body)["data"]

    assert data["body"] == (json.loads(body) if "{if" not in body else {"a": "2"})


def test_errors_are_what_they_are_taken_for() -> None:
    assert issubclass(Gone, Rejected)
    assert Deferred("x").rest == 0.0
    assert Unavailable("x").rest is None
