"""One page: what is sent, and when sending ends early."""

import asyncio
import time
from datetime import timedelta

import pytest

from tests.launching import NOBODY, Remembering, campaign
from workers.launcher.channel import Channel, Deferred, Refused, Unavailable
from workers.launcher.leases import Lease
from workers.launcher.sending import Due, Page, Sending
from workers.launcher.terms import Campaign, Ending, Launch, Outcome, Profile

LENGTH = timedelta(seconds=30)


def due(*names: str) -> list[Due]:
    return [Due(at, name, Profile(NOBODY, {"email": f"{name}@example.com"})) for at, name in enumerate(names)]


async def send(
    channel: Channel, *names: str, lease: Lease | None = None, stop: asyncio.Event | None = None, length: timedelta = LENGTH
) -> Page:
    sending = Sending({"email": channel}, length)
    return await sending.send(campaign(), due(*names), lease or Lease(length, time.monotonic()), stop or asyncio.Event())


def refusing(name: str, error: Exception) -> Remembering:
    async def refuse(launch: Launch) -> None:
        if launch.id == name:
            raise error

    return Remembering(refuse)


@pytest.mark.promise("P-LAUNCH-14")
async def test_a_refused_launch_fails_and_its_neighbours_go_on() -> None:
    page = await send(refusing("b", Refused("550 no")), "a", "b", "c")

    assert page.settled == {0: Outcome(Ending.SEND), 1: Outcome(Ending.FAIL, "550 no"), 2: Outcome(Ending.SEND)}


async def test_a_deferred_launch_is_not_settled_and_its_neighbours_go_on() -> None:
    page = await send(refusing("b", Deferred("SMTP 450")), "a", "b", "c")

    assert (set(page.settled), page.deferred, page.blocked()) == ({0, 2}, {1: "SMTP 450"}, False)


async def test_a_page_of_which_nothing_passed_is_blocked() -> None:
    assert (await send(refusing("a", Deferred("SMTP 450")), "a")).blocked()


async def test_a_destination_that_is_away_is_not_knocked_at_again() -> None:
    knocks: list[str] = []

    async def away(launch: Launch) -> None:
        knocks.append(launch.id)
        raise Unavailable("refused")

    page = await send(Remembering(away, slots=asyncio.Semaphore(1)), "a", "b", "c")

    assert (knocks, page.begun(), page.unavailable) == (["a"], set(), "refused")


async def test_a_launch_that_takes_too_long_is_given_up_for_now() -> None:
    async def hang(_launch: Launch) -> None:
        await asyncio.Event().wait()

    page = await send(Remembering(hang), "a", length=timedelta(seconds=0.2))

    assert page.deferred == {0: "timed out"}


@pytest.mark.promise("P-LAUNCH-16")
async def test_nothing_is_begun_that_the_lease_does_not_cover() -> None:
    channel = Remembering()

    page = await send(channel, "a", lease=Lease(LENGTH, time.monotonic() - 23))

    assert (channel.sent, page.begun()) == ([], set())


@pytest.mark.promise("P-OPS-13")
async def test_a_page_ends_early_when_the_launcher_is_told_to_stop() -> None:
    stop = asyncio.Event()

    async def then_stop(_launch: Launch) -> None:
        stop.set()

    page = await send(Remembering(then_stop, slots=asyncio.Semaphore(1)), "a", "b", stop=stop)

    assert page.settled == {0: Outcome(Ending.SEND)}


async def test_no_more_launches_are_under_way_than_the_channel_has_slots() -> None:
    under_way, most = 0, 0

    async def count(_launch: Launch) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await send(Remembering(count, slots=asyncio.Semaphore(3)), *"abcdefgh")

    assert most == 3


async def test_a_channel_that_only_a_newer_launcher_knows_fails_nothing() -> None:
    unknown: Campaign = campaign(channel="sms")

    page = await Sending({}, LENGTH).send(unknown, due("a"), Lease(LENGTH, time.monotonic()), asyncio.Event())

    assert (page.begun(), page.unavailable) == (set(), "no channel sms")
