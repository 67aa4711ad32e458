"""What every channel has to do; a new one is a row of `NAMES`, and passes."""

import asyncio
from ipaddress import ip_network

import pytest

from runtime.outbound.reach import Reach
from tests.unit.launcher.channels.conftest import NAMES, Way, way_of
from workers.launcher.deliver import holds
from workers.launcher.deliver.endings import Held, PutOff
from workers.launcher.model import Ending, Outcome

pytestmark = pytest.mark.promise("P-LAUNCH-17")


async def test_a_launch_is_handed_over_and_its_neighbours_are_not_stopped_by_one_that_is_refused(way: Way) -> None:
    async with way.destination.open():
        ended = [await way.attempt(way.launch(id_)) for id_ in ("no-1", "ok-2", "later-3", "ok-4")]

    refused = ended[0]
    outcome = getattr(refused, "outcome", refused)
    assert isinstance(outcome, Outcome)
    assert outcome.ending is Ending.FAIL
    assert outcome.reason
    assert [each.ending for each in (ended[1], ended[3]) if isinstance(each, Outcome)] == [Ending.SEND] * 2
    assert isinstance(ended[2], PutOff)
    assert way.destination.taken == ["ok-2", "ok-4"]


async def test_each_attempt_has_the_same_id(way: Way) -> None:
    launch = way.launch("break-1")
    async with way.destination.open():
        ended = [await way.attempt(launch) for _ in range(2)]

    assert all(isinstance(each, PutOff) for each in ended)
    assert way.destination.tried == ["break-1", "break-1"]


async def test_one_that_is_away_holds_launches_and_takes_them_when_it_is_back(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "FIRST_PROBE", 0.0)

    away = await way.attempt(way.launch("ok-1"))
    async with way.destination.open():
        back = await way.attempt(way.launch("ok-1"))

    assert isinstance(away, Held)
    assert isinstance(back, Outcome)
    assert way.destination.taken == ["ok-1"]


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize("name", [name for name in NAMES if name != "email"])
async def test_a_provider_at_an_address_that_is_denied_is_not_called(name: str) -> None:
    async with way_of(name, Reach(denied=(ip_network("127.0.0.0/8"),))) as way, way.destination.open():
        denied = await way.attempt(way.launch("ok-1"))

    assert isinstance(denied, Held)
    assert denied.why == ("the address is none that may be called" if name.startswith("email") else "Denied")
    assert way.destination.tried == []


@pytest.mark.promise("P-OUT-03")
async def test_where_the_operators_own_server_may_be_is_for_him_to_say() -> None:
    async with way_of("email", Reach(denied=(ip_network("127.0.0.0/8"),))) as way, way.destination.open():
        sent = await way.attempt(way.launch("ok-1"))

    assert sent == Outcome(Ending.SEND)


async def test_it_is_not_knocked_at_again_while_it_is_held(way: Way) -> None:
    await way.attempt(way.launch("ok-1"))
    async with way.destination.open():
        held = await way.attempt(way.launch("ok-2"))

    assert isinstance(held, Held)
    assert way.destination.tried == []


@pytest.mark.parametrize("value", ["x" * 5_000_000, "\ud800"], ids=["huge", "no text"])
async def test_what_cannot_be_sent_is_its_own_failure_and_nothing_of_it_leaves(way: Way, value: str) -> None:
    async with way.destination.open():
        ended = await way.attempt(way.launch("ok-1", lead={"name": value}))

    assert isinstance(ended, Outcome)
    assert ended.ending is Ending.FAIL
    assert way.destination.tried == []


@pytest.mark.parametrize("value", ["Привет 👋", 'a"b\\c', "a\r\nb: c", "{lead.name}", "\u202eabc", ""])
async def test_whatever_a_value_holds_arrives_as_one_launch(way: Way, value: str) -> None:
    async with way.destination.open():
        ended = await way.attempt(way.launch("ok-1", lead={"name": value}))

    assert isinstance(ended, Outcome)
    assert ended.ending is Ending.SEND
    assert way.destination.taken == ["ok-1"]
    assert "b" not in way.destination.heads[0]


async def test_one_account_s_launches_leave_slots_to_the_others(way: Way) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        async with way.slot("ok-1", 1):
            await held.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(hold())
        async with asyncio.timeout(10), way.slot("ok-2", 2):
            held.set()
