"""One page: what is sent, and when sending ends early."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from tests.launching import NOBODY, Remembering, campaign, knowing
from workers.launcher.channels.channel import Channel, Deferred, Rejected, Unavailable
from workers.launcher.channels.slots import Slots
from workers.launcher.deliver.gates import Held, PutOff
from workers.launcher.deliver.sending import Due, Page, Sending
from workers.launcher.model import Ending, Launch, Outcome, Profile

SENT = Outcome(Ending.SEND)


def due(*names: str) -> list[Due]:
    def reader(name: str) -> Callable[[], Profile]:
        return lambda: Profile(NOBODY, {"email": f"{name}@example.com"})

    return [Due(at, name, NOBODY, reader(name)) for at, name in enumerate(names)]


Ended = dict[int, Outcome | PutOff]


async def ended(sending: Sending, page: Page, due: Sequence[Due]) -> Ended:
    """All that the page hands over."""
    found: Ended = {}
    async for each in sending.send(page, due, asyncio.Event()):
        found |= each
    return found


async def send(channel: Channel, *names: str, is_open: Callable[[], bool] = lambda: True) -> Ended:
    return await ended(knowing({"email": channel}), Page(campaign(), [], is_open), due(*names))


def refusing(name: str, error: Exception) -> Remembering:
    async def refuse(launch: Launch) -> None:
        if launch.id == name:
            raise error

    return Remembering(refuse)


@pytest.mark.promise("P-LAUNCH-14")
async def test_a_refused_launch_fails_and_its_neighbours_go_on() -> None:
    assert await send(refusing("b", Rejected("550 no")), "a", "b", "c") == {0: SENT, 1: Outcome(Ending.FAIL, "550 no"), 2: SENT}


async def test_a_deferred_launch_is_put_off_and_its_neighbours_go_on() -> None:
    assert await send(refusing("b", Deferred("SMTP 450")), "a", "b", "c") == {0: SENT, 1: PutOff("SMTP 450"), 2: SENT}


async def test_a_destination_that_is_away_is_not_knocked_at_again() -> None:
    knocks: list[str] = []

    async def away(launch: Launch) -> None:
        knocks.append(launch.id)
        raise Unavailable("refused")

    page = Page(campaign(), [], lambda: True)
    found = await ended(knowing({"email": Remembering(away, slots=Slots(1))}), page, due("a", "b", "c"))

    assert (knocks, found, page.held[0]) == (["a"], {}, Held("refused"))
    assert set(page.held) == {0, 1, 2}


@pytest.mark.promise("P-LAUNCH-16", "P-OPS-13")
async def test_nothing_is_begun_once_the_page_is_closed() -> None:
    sent: list[str] = []

    async def note(launch: Launch) -> None:
        sent.append(launch.id)

    found = await send(Remembering(note, slots=Slots(1)), "a", "b", is_open=lambda: not sent)

    assert (sent, found) == (["a"], {0: SENT})


async def test_no_more_launches_of_an_account_are_under_way_than_half_of_the_slots() -> None:
    under_way, most = 0, 0

    async def count(_launch: Launch) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await send(Remembering(count, slots=Slots(6)), *"abcdefgh")

    assert most == 3


async def test_a_channel_that_only_a_newer_launcher_knows_fails_nothing() -> None:
    page = Page(campaign(channel="sms"), [], lambda: True)
    found = await ended(knowing({}), page, due("a"))

    assert (found, page.held) == ({}, {0: Held("no channel sms")})
