"""What a gateway counts as in flight, and when the next slice may go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

import pytest

from ingest.admission import backpressure
from ingest.admission.backpressure import Backpressure
from ingest.admission.budget import Budget, Share
from ingest.publish.fair_queue import FairQueue
from ingest.publish.partition_queue import Delivery
from ingest.request_errors import Refused
from ingest.sql.accounts import Token

ONE, OTHER = Token(1, 1, frozenset()), Token(2, 1, frozenset())
NO_BYTES = Share(Budget(100))


class Away(Exception):
    """Broker or database do not answer."""


@dataclass
class Backlog:
    """One partition, as the broker, the matchers and the writers see it."""

    end: int = 0
    position: int = 0
    handed: int = 0
    unconfirmed: int = 0
    away: bool = False
    queue: FairQueue = field(default_factory=FairQueue)

    async def look(self) -> tuple[list[int], list[int]]:
        if self.away:
            raise Away
        return [self.end], [self.position]

    def pressure(self, limit: int = 10, token_limit: int = 10) -> Backpressure:
        return Backpressure(self.look, (Away,), self, self.queue, limit=limit, token_limit=token_limit, budget=Budget(100))


@asynccontextmanager
async def held_back(pressure: Backpressure, stopping: asyncio.Event | None = None) -> AsyncIterator[None]:
    """A slice waits until the block has been run, and is looked at."""
    slice_ = asyncio.create_task(pressure.near_enough(stopping or asyncio.Event()))
    await asyncio.sleep(0)
    assert not slice_.done()
    yield
    await pressure.run_once()
    async with asyncio.timeout(20):
        await slice_


@pytest.mark.promise("P-HTTP-31")
async def test_in_flight_is_what_is_behind_and_what_is_still_here() -> None:
    backlog = Backlog(end=100, position=93, handed=20, unconfirmed=2)
    pressure = backlog.pressure()
    await pressure.run_once()
    backlog.queue.add(1, [(0, (b"", b"", ()))] * 4, Delivery(4))
    backlog.handed += 30

    # Confirmed or not, what was handed on since the last look may not have been seen.
    assert pressure.in_flight == 7 + 2 + 4 + 30


@pytest.mark.promise("P-HTTP-31")
async def test_what_is_confirmed_while_it_looks_is_not_taken_for_seen() -> None:
    class Confirmed(Backlog):
        async def look(self) -> tuple[list[int], list[int]]:
            seen = await super().look()
            self.end, self.unconfirmed = 20, 0
            return seen

    backlog = Confirmed(end=15, handed=20, unconfirmed=5)
    pressure = backlog.pressure()
    await pressure.run_once()

    assert pressure.in_flight == 20


@pytest.mark.promise("P-HTTP-31")
async def test_who_has_nothing_to_do_looks_seldom_and_at_once_when_something_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "_IDLE_PAUSE", 3600.0)
    looks = asyncio.Queue[int]()

    class Counted(Backlog):
        async def look(self) -> tuple[list[int], list[int]]:
            looks.put_nowait(self.end)
            return await super().look()

    backlog = Counted()
    pressure = backlog.pressure()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(pressure.run())
        await looks.get()
        # Meanwhile others have brought something.
        backlog.end = 8
        with pressure.admitted(ONE, 1, NO_BYTES):
            assert await looks.get() == 8
            # Something is in flight: it goes on to look.
            assert await looks.get() == 8
        looking.cancel()


async def test_requests_that_come_to_nothing_are_no_reason_to_look_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "_PAUSE", 3600.0)
    looks = 0

    class Counted(Backlog):
        async def look(self) -> tuple[list[int], list[int]]:
            nonlocal looks
            looks += 1
            return await super().look()

    pressure = Counted().pressure()
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(pressure.run())
        for _ in range(50):
            with pressure.admitted(ONE, 1, NO_BYTES):
                pass
            await asyncio.sleep(0)
        looking.cancel()

    assert looks == 1


async def test_who_may_not_go_on_yet_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backpressure, "_IDLE_PAUSE", 3600.0)
    backlog = Backlog()
    pressure = backlog.pressure(limit=10_000)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(pressure.run())
        await asyncio.sleep(0)
        # A batch that is taken over was never admitted here.
        backlog.handed = 1_000
        waiting = tasks.create_task(pressure.near_enough(asyncio.Event()))
        await asyncio.sleep(0)
        backlog.end = backlog.position = 1_000
        await waiting
        looking.cancel()


@pytest.mark.promise("P-HTTP-31")
async def test_two_requests_at_the_same_moment_are_not_admitted_to_the_same_room() -> None:
    pressure = Backlog().pressure(limit=10)
    with pressure.admitted(ONE, 8, NO_BYTES):
        with pytest.raises(Refused) as refused, pressure.admitted(OTHER, 3, NO_BYTES):
            pass
        with pressure.admitted(OTHER, 2, NO_BYTES):
            pass

    assert (refused.value.error, refused.value.headers) == (429, {"Retry-After": "1"})
    assert pressure.in_flight == 0


@pytest.mark.promise("P-HTTP-31")
async def test_the_next_slice_waits_until_the_matchers_are_near() -> None:
    backlog = Backlog(end=500)
    pressure = backlog.pressure()
    await pressure.run_once()
    async with held_back(pressure):
        backlog.position = 1


@pytest.mark.promise("P-HTTP-24")
async def test_what_was_seen_before_the_broker_fell_silent_holds_no_slice_back() -> None:
    backlog = Backlog(end=1_000_000)
    pressure = backlog.pressure()
    await pressure.run_once()
    async with held_back(pressure):
        backlog.away = True
    backlog.handed += 1_000
    backlog.unconfirmed = 1_000
    # Nor does it open the door: what nobody has seen arrive still counts.
    async with held_back(pressure):
        # The broker confirms what is written, though nobody can ask it how much that is.
        backlog.unconfirmed = 0


@pytest.mark.promise("P-OPS-12")
async def test_a_gateway_that_must_go_does_not_wait_for_the_matchers() -> None:
    backlog = Backlog(end=1_000_000)
    pressure = backlog.pressure()
    await pressure.run_once()
    stopping = asyncio.Event()
    async with held_back(pressure, stopping):
        stopping.set()


@pytest.mark.promise("P-OPS-17")
async def test_what_cannot_be_seen_is_not_taken_for_empty() -> None:
    backlog = Backlog(end=100)
    pressure = backlog.pressure()
    await pressure.run_once()
    backlog.away = True
    backlog.handed += 5

    assert await pressure.run_once() is False
    assert pressure.in_flight == 105


@pytest.mark.promise("P-HTTP-31", "P-OPS-17")
async def test_who_finds_no_bytes_free_is_sent_away_soon() -> None:
    pressure = Backlog().pressure()
    with pressure.holding() as held:
        await held.grow(100)
        with pytest.raises(Refused) as refused, pressure.holding() as more:
            async with asyncio.timeout(20):
                await more.grow(1)
    with pressure.holding() as later:
        await later.grow(1)

    assert (refused.value.error, refused.value.headers) == (429, {"Retry-After": "1"})


@pytest.mark.promise("P-OPS-17")
async def test_a_request_that_grows_waits_for_bytes_that_become_free() -> None:
    pressure = Backlog().pressure()
    with pressure.holding() as small:
        await small.grow(10)
        with pressure.holding() as large:
            await large.grow(90)
            growing = asyncio.create_task(small.grow(11))
            await asyncio.sleep(0)
            waited = not growing.done()
        async with asyncio.timeout(20):
            await growing

    assert waited


@pytest.mark.promise("P-OPS-17")
async def test_a_request_that_is_alone_is_never_too_large() -> None:
    with Backlog().pressure().holding() as alone:
        await alone.grow(50)
        await alone.grow(500)


async def _finishes(pressure: Backpressure, size: int) -> bool:
    """Whether a request gets through that grows by little and little, as a body does that comes."""
    try:
        with pressure.holding() as share:
            for held in range(1, size + 1):
                await share.grow(held)
                await asyncio.sleep(0)
    except Refused:
        return False
    return True


@pytest.mark.promise("P-HTTP-42")
@pytest.mark.parametrize(("size", "fit"), [(60, 1), (40, 2), (25, 4)])
async def test_of_requests_that_wait_for_one_another_as_many_get_through_as_fit(size: int, fit: int) -> None:
    pressure = Backlog().pressure()
    async with asyncio.timeout(20):
        finished = await asyncio.gather(*(_finishes(pressure, size) for _ in range(20)))

    assert sum(finished) >= fit
    # Who came first goes before who came last.
    assert finished == sorted(finished, reverse=True)
    assert pressure._budget._used == 0


@pytest.mark.promise("P-HTTP-42")
async def test_who_comes_meanwhile_takes_nothing_from_those_who_cannot_finish_without_it() -> None:
    pressure = Backlog().pressure()
    with pressure.holding() as first, pressure.holding() as second:
        await first.grow(50)
        await second.grow(45)
        growing = asyncio.create_task(first.grow(60))
        await asyncio.sleep(0)
        with pressure.holding() as newcomer:
            entering = asyncio.create_task(newcomer.grow(1))
            await asyncio.sleep(0)
            entered = entering.done()
            second.release()
            async with asyncio.timeout(20):
                await asyncio.gather(growing, entering)

    assert not entered


@pytest.mark.promise("P-HTTP-42")
async def test_who_comes_meanwhile_goes_on_when_nobody_is_in_front_of_it_any_more() -> None:
    pressure = Backlog().pressure()
    with pressure.holding() as first, pressure.holding() as second, pressure.holding() as newcomer:
        await first.grow(50)
        await second.grow(50)
        entering = asyncio.create_task(newcomer.grow(1))
        await asyncio.sleep(0)
        growing = asyncio.create_task(first.grow(60))
        await asyncio.sleep(0)
        second.release()
        async with asyncio.timeout(20):
            await asyncio.gather(growing, entering)


@pytest.mark.promise("P-HTTP-38")
async def test_a_token_cannot_take_the_room_of_another_one() -> None:
    backlog = Backlog()
    pressure = backlog.pressure(limit=100, token_limit=10)
    backlog.queue.add(ONE.id, [(0, (b"", b"", ()))] * 6, Delivery(6))
    with pressure.admitted(ONE, 4, NO_BYTES):
        with pytest.raises(Refused) as refused, pressure.admitted(ONE, 1, NO_BYTES):
            pass
        with pressure.admitted(OTHER, 10, NO_BYTES):
            pass
    # What did not get as far as `FairQueue` is forgotten.
    with pressure.admitted(ONE, 4, NO_BYTES):
        pass

    assert (refused.value.error, refused.value.headers) == (429, {"Retry-After": "1"})
    assert refused.value.debug == "token: its limit is 10 profiles that wait"


@pytest.mark.promise("P-HTTP-38")
async def test_a_token_of_which_nothing_waits_may_send_more_than_its_limit() -> None:
    with Backlog().pressure(limit=100, token_limit=10).admitted(ONE, 50, NO_BYTES):
        pass


@pytest.mark.promise("P-HTTP-38")
@pytest.mark.parametrize(("waiting", "asked", "admitted"), [(1_000, 1, True), (1_099, 1, True), (1_100, 1, False), (1_000, 2, False)])
async def test_a_token_is_not_kept_from_a_single_by_its_own_bulk(waiting: int, asked: int, *, admitted: bool) -> None:
    pressure = Backlog().pressure(limit=10_000, token_limit=1_000)
    outcome = nullcontext() if admitted else pytest.raises(Refused)
    with pressure.admitted(ONE, waiting, NO_BYTES), outcome, pressure.admitted(ONE, asked, NO_BYTES):
        pass


@pytest.mark.promise("P-APPLY-12")
@pytest.mark.parametrize("own", [2, 20])
async def test_a_tokens_own_limit_goes_before_the_one_for_all(own: int) -> None:
    pressure = Backlog().pressure(limit=100, token_limit=10)
    token = Token(1, 1, frozenset(), own)
    with pressure.admitted(token, own, NO_BYTES), pytest.raises(Refused) as refused, pressure.admitted(token, 1, NO_BYTES):
        pass

    assert refused.value.debug == f"token: its limit is {own} profiles that wait"


@pytest.mark.promise("P-HTTP-38")
async def test_a_token_holds_at_most_half_of_the_bytes_unless_it_is_with_one_request() -> None:
    pressure = Backlog().pressure(limit=100)
    with pressure.holding() as large, pressure.holding() as more:
        await large.grow(60)
        with pressure.admitted(ONE, 1, large):
            held = large.pass_on()
        await more.grow(1)
        with pytest.raises(Refused) as refused, pressure.admitted(ONE, 1, more):
            pass
        with pressure.admitted(OTHER, 1, more):
            more.release()
        held.release()
    with pressure.holding() as again:
        await again.grow(60)
        with pressure.admitted(ONE, 1, again):
            pass

    assert (refused.value.error, refused.value.headers) == (429, {"Retry-After": "1"})
    assert refused.value.debug == "token: its limit is half of the bytes that a gateway holds"
