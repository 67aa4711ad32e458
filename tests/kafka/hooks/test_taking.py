"""What a hook is told of, in which order, and how it is signed."""

import json

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from tests.kafka.conftest import published
from tests.kafka.hooks.conftest import SECRET, World, event
from tests.kafka.hosting import hosted
from tests.receiving import Got


@pytest.mark.promise("P-HOOK-01")
async def test_a_hook_gets_its_accounts_events_in_the_topics_order_as_they_stand_there(world: World) -> None:
    await world.declare("crm", batch=7)
    await world.declare("other", account=2)
    async with hosted("hooks", world.settings):
        await world.tell(range(20))
        await world.tell(range(20, 40), account=2)
        await world.tell(range(40, 60))
        await world.until_taken("crm", [*range(20), *range(40, 60)])
        await world.until_taken("other", range(20, 40))

    posted = [event for got in world.receiver.got["crm"] for event in got.events]
    stand = [json.loads(value) for value in await published(world.settings, "events")]

    assert posted == [event for event in stand if event["account_id"] == 1]
    assert max(len(got.events) for got in world.receiver.got["crm"]) == 7


@pytest.mark.promise("P-HOOK-02")
async def test_a_receiver_needs_a_library_of_standard_webhooks_and_no_code_of_ours(world: World) -> None:
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell(range(3))
        await world.until_taken("crm", range(3))

    for got in world.receiver.got["crm"]:
        Webhook(SECRET).verify(got.body, dict(got.headers))


@pytest.mark.promise("P-HOOK-01")
async def test_a_hook_gets_only_the_types_that_it_wants(world: World) -> None:
    await world.declare("crm", events=["fail", "skip"])
    async with hosted("hooks", world.settings):
        for item, kind in enumerate(["send", "fail", "import_api", "skip", "send"]):
            await world.tell([item], kind=kind)
        await world.until_taken("crm", [1, 3])


@pytest.mark.promise("P-HOOK-03")
async def test_a_new_hook_begins_at_the_events_that_come_after_it_was_applied(world: World) -> None:
    await world.declare("first")
    async with hosted("hooks", world.settings):
        await world.tell(range(5))
        await world.until_taken("first", range(5))
        await world.declare("second")
        await world.tell(range(5, 10))
        await world.until_taken("second", range(5, 10))
    await world.declare("third")
    await world.tell(range(10, 15))
    async with hosted("hooks", world.settings):
        await world.until_taken("third", range(10, 15))
        await world.until_taken("first", range(15))


@pytest.mark.promise("P-HOOK-04")
async def test_a_hook_is_changed_and_switched_off_without_a_restart(world: World) -> None:
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_taken("crm", [0])
        await world.declare("crm", url=world.receiver.url("elsewhere"))
        await world.until_begun("crm", times=2)
        await world.tell([1])
        await world.until_taken("elsewhere", [1])
        await world.declare("crm", active=False)
        await world.declare("beside")
        await world.until_begun("beside")
        await world.tell([2])
        await world.until_taken("beside", [2])
        await world.declare("crm", active=True)
        await world.until_taken("elsewhere", [1, 2])

    assert world.receiver.items("crm") == [0]


@pytest.mark.promise("P-HOOK-05")
async def test_an_event_that_cannot_be_read_or_is_huge_costs_itself_alone(world: World) -> None:
    settings = world.settings.model_copy(update={"hook_body_limit": 2_000})
    await world.declare("crm")
    bad = [b"", b"{", b'{"account_id": "1", "event_type": "send"}', b'{"account_id":1,"event_type":"send","x":"\xff"}', b"[" * 100_000]
    with capture_logs() as logs:
        async with hosted("hooks", settings):
            await world.put([event(0), *bad, event(1, filling="x" * 3_000), event(2)])
            await world.until_taken("crm", [0, 2])

    skipped = [entry["why"] for entry in logs if entry["event"] == "event_skipped"]

    assert sorted(skipped) == ["too large", "too large", "unreadable", "unreadable", "unreadable", "unreadable"]


@pytest.mark.promise("P-HOOK-05")
async def test_a_body_has_as_many_events_as_fit(world: World) -> None:
    settings = world.settings.model_copy(update={"hook_body_limit": 2_000})
    await world.declare("crm")
    async with hosted("hooks", settings):
        await world.tell(range(50))
        await world.until_taken("crm", range(50))

    sizes = [len(got.body) for got in world.receiver.got["crm"]]

    assert max(sizes) <= 2_000
    assert len(sizes) >= 5


@pytest.mark.promise("P-HOOK-04")
async def test_during_a_rotation_of_secrets_both_sign(world: World) -> None:
    new = "whsec_" + "b" * 32
    await world.declare("crm", secrets=[new, SECRET])
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_taken("crm", [0])
    got: Got = world.receiver.got["crm"][0]
    for secret in (SECRET, new):
        Webhook(secret).verify(got.body, dict(got.headers))

    assert got.headers["webhook-signature"].count("v1,") == 2
