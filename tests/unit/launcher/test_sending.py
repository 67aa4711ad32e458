"""One page: what is sent, and when sending ends early."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from schemas.ids import TriggerNumber
from tests.launching import NOBODY, Remembering, campaign, knowing, no_more
from workers.launcher.channels.channel import Channel, Deferred, Rejected, Unavailable
from workers.launcher.channels.slots import Slots
from workers.launcher.deliver import suspicions
from workers.launcher.deliver.endings import Held, PutOff
from workers.launcher.deliver.paces import Limit, Now, Paces
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.sending import More, Sending
from workers.launcher.model import Campaign, Due, Ending, Launch, Outcome, Profile, Provider

SENT = Outcome(Ending.SEND)


def due(*names: str) -> list[Due]:
    def reader(name: str) -> Callable[[], Profile]:
        return lambda: Profile(NOBODY, {"email": f"{name}@example.com"})

    return [Due(at, name, NOBODY, reader(name)) for at, name in enumerate(names)]


Ended = dict[int, Outcome | PutOff]


async def ended(sending: Sending, page: Page, more: More = no_more) -> Ended:
    """All that the page hands over, held launches left aside."""
    return {at: each for at, each in (await taken(sending, page, more)).items() if not isinstance(each, Held)}


async def taken(sending: Sending, page: Page, more: More = no_more) -> dict[int, Outcome | PutOff | Held]:
    found: dict[int, Outcome | PutOff | Held] = {}
    async for _ in sending.send([page], more, asyncio.Event()):
        over = page.take()
        found |= {**over.ended, **over.held}
    return found


async def send(channel: Channel, *names: str, is_open: Callable[[], bool] = lambda: True) -> Ended:
    return await ended(knowing({"email": channel}), Page(due(*names), campaign(), [], is_open))


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

    page = Page(due("a", "b", "c"), campaign(), [], lambda: True)
    found = await taken(knowing({"email": Remembering(away, slots=Slots(1))}), page)

    assert (knocks, found[0]) == (["a"], Held("refused"))
    assert [type(found[at]) for at in range(3)] == [Held] * 3


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
    page = Page(due("a"), campaign(channel="sms"), [], lambda: True)

    assert await taken(knowing({}), page) == {0: Held("no channel sms")}


async def test_whoever_waits_for_a_verdict_keeps_nobody_from_being_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspicions, "SUSPENSE", 3600.0)
    channel = refusing("a", Rejected("550 no", 550))
    channel.slots = Slots(1)

    # The next one passes, so that the refusal was the first one's own.
    async with asyncio.timeout(10):
        assert await send(channel, "a", "b") == {0: Outcome(Ending.FAIL, "550 no"), 1: SENT}


@pytest.mark.promise("P-LAUNCH-43")
async def test_a_launch_that_hangs_keeps_no_launch_of_the_pages_behind_it_waiting() -> None:
    released = asyncio.Event()
    pages = [Page(due("hangs", "a"), campaign(), [], lambda: True), *(Page(due(name), campaign(), [], lambda: True) for name in "bc")]

    async def hang(launch: Launch) -> None:
        if launch.id == "hangs":
            await asyncio.wait_for(released.wait(), 10)

    coming = iter([[pages[1]], [], [pages[2]], []])

    async def more(_: asyncio.Event) -> list[Page]:
        return next(coming)

    channel = Remembering(hang)
    sending = asyncio.create_task(ended(knowing({"email": channel}), pages[0], more))
    await until_idle()
    meanwhile = [launch.id for launch in channel.sent]
    released.set()

    assert await sending == {0: SENT, 1: SENT}
    # A page that has nothing ends it: there are no more.
    assert meanwhile == ["a", "b"]
    assert [page.take().ended for page in pages[1:]] == [{0: SENT}, {}]


async def test_pages_that_cannot_be_read_cut_nothing_off() -> None:
    released = asyncio.Event()

    async def hang(_: Launch) -> None:
        await asyncio.wait_for(released.wait(), 10)

    async def more(_: asyncio.Event) -> list[Page]:
        raise OSError("away")

    channel = Remembering(hang)
    sending = asyncio.create_task(ended(knowing({"email": channel}), Page(due("a"), campaign(), [], lambda: True), more))
    await until_idle()
    released.set()
    with pytest.raises(OSError, match="away"):
        await sending

    assert len(channel.sent) == 1


class Asked(Remembering):
    """Counts who asks for a slot."""

    asked = 0

    def slot(self, campaign: Campaign, way: Provider | None) -> AbstractAsyncContextManager[None]:
        self.asked += 1
        return super().slot(campaign, way)


async def test_pages_of_a_trigger_have_no_more_hands_than_may_be_under_way() -> None:
    released = asyncio.Event()

    async def wait(_launch: Launch) -> None:
        await asyncio.wait_for(released.wait(), 10)

    channel = Asked(wait, slots=Slots(6))
    sending = knowing({"email": channel})
    async with asyncio.TaskGroup() as pages:
        for trigger in (8, 8, 9):
            page = Page(due(*"abcdefgh"), campaign(trigger=TriggerNumber(trigger)), [], lambda: True)
            pages.create_task(ended(sending, page))
        await until_idle()
        # Three of the first two, three of the other trigger.
        asked = channel.asked
        released.set()

    assert asked == 6
    assert len(channel.sent) == 24


async def test_a_page_gets_the_hands_that_another_one_of_its_trigger_does_not_need_any_more() -> None:
    released = {name: asyncio.Event() for name in "abc"}

    async def wait(launch: Launch) -> None:
        await asyncio.wait_for(released[launch.id].wait(), 10)

    channel = Remembering(wait, slots=Slots(6))
    sending = knowing({"email": channel})
    async with asyncio.TaskGroup() as pages:
        for names in ("aaaa", "bccccc"):
            pages.create_task(ended(sending, Page(due(*names), campaign(), [], lambda: True)))
        await until_idle()
        # The second page has one, which is enough while the first one goes on.
        released["a"].set()
        await until_idle()
        # Also while that one hangs.
        busy = sending._hands.busy((1, 8))
        released["c"].set()
        await until_idle()
        hanging = sending._hands.busy((1, 8))
        released["b"].set()

    assert (busy, hanging) == (3, 1)
    assert not sending._hands.busy((1, 8))


class Sleeping(Paces):
    """Lets nobody of one batch go."""

    def __init__(self, batch: str) -> None:
        self._batch = batch

    async def wait(self, name: str, _: Now) -> None:
        if name == self._batch:
            await asyncio.Event().wait()


async def test_launches_that_sleep_for_a_pace_of_their_own_take_no_hands_from_others() -> None:
    channel = Remembering(slots=Slots(6))
    sending = knowing({"email": channel})
    sending._paces = Sleeping("batch one")
    paced = [Page(due(*"abcdefgh"), campaign(), [Limit(f"batch {name}", 1.0)], lambda: True) for name in ("one", "two")]
    asleep = asyncio.create_task(ended(sending, paced[0]))
    await until_idle()

    # Passes when three are under way at once.
    three = asyncio.Barrier(3)

    async def meet(_launch: Launch) -> None:
        await asyncio.wait_for(three.wait(), 10)

    channel.does = meet
    found = await ended(sending, Page(due(*"abcdef"), campaign(), paced[1].limits, lambda: True))
    asleep.cancel()
    await asyncio.wait({asleep})

    assert found == dict.fromkeys(range(6), SENT)


async def until_idle() -> None:
    """Whoever can go on has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)
