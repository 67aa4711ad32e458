"""Whom a destination that refuses many keeps waiting."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from schemas import metrics
from tests.launching import Remembering, claimed, knowing, launch
from workers.launcher.channels.channel import Deferred, Rejected, Route, Unavailable
from workers.launcher.channels.email.replies import place_of_sender
from workers.launcher.clock import clock
from workers.launcher.deliver import holds
from workers.launcher.deliver.endings import Held, PutOff, Suspected
from workers.launcher.deliver.gates import Gate
from workers.launcher.deliver.holds import FIRST_PROBE, Holds
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.deliver.suspicions import ALIKE
from workers.launcher.deliver.work import Work
from workers.launcher.groups.leases import Lease
from workers.launcher.model import Ending, Launch, Outcome, Provider


def launches(account: int, count: int, domain: str) -> list[Launch]:
    return [launch(f"{number}@{domain.format(number)}", account=account) for number in range(count)]


async def refused(gate: Gate, given: Sequence[Launch]) -> list[bool | None]:
    """Whose fault each refusal was, as far as it is known: true is the recipient's."""
    ended = [await gate.attempt(each) for each in given]
    assert all(isinstance(each, Suspected) for each in ended)
    return [each.verdict.result() if each.verdict.done() else None for each in ended if isinstance(each, Suspected)]


def refusing() -> Gate:
    async def refuse(launch: Launch) -> None:
        if not launch.recipient.address.startswith("good"):
            raise Rejected(f"550 5.1.1 <{launch.recipient.address}>: no such user", 550)

    return Gate(Remembering(refuse), ProviderStates(None))


@pytest.mark.promise("P-LAUNCH-30", "P-OPS-50")
@pytest.mark.parametrize("domain", ["shop.test", "{}.test"])
async def test_what_one_account_is_refused_keeps_no_other_waiting(domain: str) -> None:
    gate = refusing()

    assert set(await refused(gate, launches(1, ALIKE, domain))) == {False}
    assert isinstance(await gate.attempt(launch(f"good@{domain.format(0)}", account=1)), Held)
    assert await gate.attempt(launch(f"good@{domain.format(0)}", account=2)) == Outcome(Ending.SEND)
    # So it was not the place.
    assert await gate.attempt(launch(f"good@{domain.format(0)}", account=1)) == Outcome(Ending.SEND)


@pytest.mark.promise("P-LAUNCH-30")
async def test_what_several_accounts_are_refused_is_the_servers_doing() -> None:
    gate = refusing()
    half = ALIKE // 2

    (theirs, ours) = await refused(gate, launches(1, half, "{}.a.test")), await refused(gate, launches(2, half, "{}.b.test"))

    assert (theirs[0], ours[-1]) == (None, False)
    assert await gate.attempt(launch("good@c.test", account=3)) == Held(f"held: {ALIKE} recipients in a row were refused by 550")


@pytest.mark.promise("P-LAUNCH-30")
async def test_whoever_is_accepted_shows_that_the_others_were_refused_for_themselves() -> None:
    gate = refusing()
    suspected = [await gate.attempt(each) for each in launches(1, ALIKE - 1, "{}.test")]

    await gate.attempt(launch("good@shop.test", account=2))

    assert {await asyncio.wait_for(each.verdict, 1) for each in suspected if isinstance(each, Suspected)} == {True}


@pytest.mark.promise("P-OPS-16")
async def test_why_somebody_waits_quotes_neither_a_server_nor_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged."""
    gate = refusing()
    suspected = [await gate.attempt(each) for each in launches(1, ALIKE, "shop.test")]
    monkeypatch.setattr(holds, "clock", lambda: clock() + 2 * FIRST_PROBE)
    probe = await gate.attempt(launch("refused@shop.test", account=1))
    sender = Holds()
    kept = sender.hold(place_of_sender("news@shop.test"), "SMTP 550 to MAIL FROM")

    assert [each.held for each in suspected if isinstance(each, Suspected)] == [Held("refused by 550")] * ALIKE
    assert probe == Held("refused by 550")
    assert isinstance(await gate.attempt(launch("good@shop.test", account=1)), Held)
    assert sender.keeps([place_of_sender("news@shop.test")]) == kept
    assert kept.why == "SMTP 550 to MAIL FROM"


def back(error: Exception, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Of a server that is away for who is called so, and then is there, but not for who is called `bad`."""

    async def answer(launch: Launch) -> None:
        if launch.recipient.address.startswith("away"):
            raise Unavailable("Connection refused")
        if launch.recipient.address.startswith("bad"):
            raise error

    monkeypatch.setattr(holds, "FIRST_PROBE", 0.0)
    monkeypatch.setattr(holds, "_LONGEST_PROBE", 3600.0)
    return Gate(Remembering(answer), ProviderStates(None))


async def probed(gate: Gate) -> tuple[object, object]:
    """What becomes of the first one that is let through after an outage, and of the next one."""
    assert isinstance(await gate.attempt(launch("away@shop.test")), Held)
    for hold in gate._holds._held.values():
        hold.probe_after = 1800.0
    return await gate.attempt(launch("bad@shop.test")), await gate.attempt(launch("good@shop.test"))


@pytest.mark.promise("P-LAUNCH-30", "P-OPS-50")
@pytest.mark.parametrize("error", [
    Rejected("550 no such user", 550), Deferred("SMTP 450", 450), Rejected("552 full", answered=True), Rejected("address cannot be used"),
], ids=str)  # fmt: skip
async def test_who_is_refused_for_himself_after_an_outage_keeps_nobody_waiting(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await probed(back(error, monkeypatch))

    assert isinstance(first, Outcome | PutOff | Suspected)
    assert second == Outcome(Ending.SEND)


async def test_who_was_told_to_wait_himself_rests_also_where_another_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be tried again at once, and hold everybody each time."""
    gate = back(Deferred("SMTP 450", 450), monkeypatch)
    told = await gate.attempt(launch("away@shop.test"))
    gate._holds.hold("the server", "Connection refused", rest=3600.0)
    waits = await gate.attempt(launch("other@shop.test"))
    gate._holds.passed(["the server"])

    assert isinstance(told, Held)
    assert isinstance(waits, Held)
    assert (told.may_go(), waits.may_go()) == (False, True)


def test_a_group_of_which_nobody_came_further_rests_also_where_its_place_has_opened() -> None:
    """Else it would be claimed and read again and again while others pass."""
    opened = Holds()
    hold = opened.hold("the server", "Connection refused")
    work = Work(claimed(2), cast("Lease", None), asyncio.Event())
    work.held[1] = Held("held", hold)
    opened.passed(["the server"])
    before = work.may_go_on()
    work.left.discard(0)

    assert (before, work.may_go_on()) == (False, True)


async def test_who_gets_no_answer_after_an_outage_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await probed(back(Deferred("TimeoutError", 0), monkeypatch))

    assert first == Held("refused by 0", tried=True)
    assert second == Held("held: Connection refused")


async def test_what_cannot_be_sent_is_its_own_failure_also_where_everybody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = back(Rejected("address cannot be used"), monkeypatch)
    gate._holds.hold("the server", "20 recipients in a row were refused by 550", by_refusals=True)

    assert await gate.attempt(launch("bad@shop.test")) == Outcome(Ending.FAIL, "address cannot be used")


def test_who_is_stopped_at_one_place_uses_up_no_probe_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Holds()
    monkeypatch.setattr(holds, "FIRST_PROBE", 0.0)
    held.hold("here", "any")
    monkeypatch.setattr(holds, "FIRST_PROBE", 3600.0)
    there = held.hold("there", "for long")

    assert held.keeps(["here", "there"]) is there
    assert held.keeps(["here"]) is None


class Told(ProviderStates):
    """Keeps of whom others were told that he takes nothing."""

    def __init__(self) -> None:
        super().__init__(None)
        self.held_ones: list[Provider | None] = []

    async def held(self, provider: Provider | None, *_: object) -> None:
        self.held_ones.append(provider)


class ByProvider(Remembering):
    def route(self, _launch: Launch, way: Provider | None) -> Route:
        return Route(("provider 1", "from news@shop.test by provider 1"), way)


@pytest.mark.promise("P-LAUNCH-39")
@pytest.mark.parametrize(("place", "told"), [("provider 1", True), ("from news@shop.test by provider 1", False)])
async def test_what_a_provider_says_of_one_sender_other_launchers_are_not_told_of_all(place: str, told: bool) -> None:
    async def refuse(_launch: Launch) -> None:
        raise Unavailable("SMTP 550 to MAIL FROM", place)

    provider, states = Provider(1, "own", "smtp://own.test", (), None, 16, 15), Told()
    await Gate(ByProvider(refuse), states).attempt(launch(), provider)

    assert states.held_ones == ([provider] if told else [])


@pytest.mark.promise("P-WATCH-01")
async def test_what_nobody_comes_to_any_more_is_held_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a sender was corrected: there is nobody left who would pass."""
    now = 0.0
    monkeypatch.setattr(holds, "clock", lambda: now)
    before, sending = metrics.HELD._value.get(), knowing({"email": Remembering()})
    held = sending._gates["email"]._holds
    left, asked_for = held.hold("from old@shop.test", "any"), held.hold("from new@shop.test", "any")
    for moment in (500.0, 1000.0):
        now = moment
        held.shut(["from new@shop.test"])
        sending.forget()

    assert (held.holding(["from old@shop.test"]), held.holding(["from new@shop.test"])) == (None, asked_for)
    assert not left.is_open
    assert metrics.HELD._value.get() - before == 1
    held.passed(["from new@shop.test"])


@pytest.mark.promise("P-WATCH-01")
def test_what_is_held_is_counted_over_all_channels() -> None:
    before, mail, text = metrics.HELD._value.get(), Holds(), Holds()
    for held in (mail, text):
        held.hold("here", "any")
        held.hold("here", "again")
    both = metrics.HELD._value.get() - before
    mail.passed(["here"])

    assert (both, metrics.HELD._value.get() - before) == (2, 1)
    text.passed(["here"])
