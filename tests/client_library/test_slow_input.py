"""What a client does while its input has nothing for it."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing, closing
from contextvars import ContextVar
from typing import Any

import pytest

from profuse_client import AsyncClient, Imported, Limits, Options
from tests.client_library.both import Import, Result
from tests.client_library.server import TOKEN, Gateway, Got, Mood, Reply, refuse

PAIRS = Options(limits=Limits(profiles=2))
AWAY = refuse(503, "Temporarily unavailable")


Source = Callable[[], Generator[dict[str, Any], None, None]]


async def in_the_loop(source: Source) -> AsyncGenerator[dict[str, Any], None]:
    with closing(source()) as given:
        for each in given:
            yield each


def in_place(source: Source) -> Iterator[dict[str, Any]]:
    return source()


def person(number: int) -> dict[str, Any]:
    return {"email": f"p{number}@slow.test"}


async def results(gateway: Gateway, source: Iterator[dict[str, Any]] | AsyncIterator[dict[str, Any]]) -> AsyncGenerator[Result, None]:
    async with AsyncClient(gateway.url, TOKEN, PAIRS) as client, aclosing(client.import_and_start(source, trigger=8)) as given:
        async for result in given:
            yield result


@pytest.mark.promise("P-CLIENT-11")
async def test_an_async_source_may_wait_for_the_results_of_what_it_gave(gateway: Gateway) -> None:
    room = asyncio.Semaphore(2)

    async def source() -> AsyncIterator[dict[str, Any]]:
        for number in range(6):
            await asyncio.wait_for(room.acquire(), 20)
            yield person(number)

    indexes = []
    async for result in results(gateway, source()):
        indexes.append(result.index)
        room.release()

    assert indexes == list(range(6))


@pytest.mark.promise("P-CLIENT-11")
async def test_what_failed_is_sent_again_while_an_async_source_waits(gateway: Gateway) -> None:
    async def source() -> AsyncIterator[dict[str, Any]]:
        for number in range(2):
            yield person(number)
        await asyncio.to_thread(gateway.wait_for, 2)
        yield person(2)

    gateway.moods = [lambda *_: AWAY]

    assert [type(result) async for result in results(gateway, source())] == [Imported] * 3


@pytest.mark.promise("P-CLIENT-11")
@pytest.mark.parametrize("moods", [[], [lambda *_: AWAY]], ids=["what is there is given", "what failed is sent again"])
def test_a_source_that_trickles_holds_nothing_up(imported: Import, gateway: Gateway, moods: list[Mood]) -> None:
    gateway.moods = moods
    given: list[Result] = []
    came_meanwhile = False

    def source() -> Iterator[dict[str, Any]]:
        nonlocal came_meanwhile
        yield from map(person, range(1_000))
        for number in range(1_000, 1_400):
            if came_meanwhile := bool(given):
                return
            # A row that has to be fetched.
            time.sleep(0.02)
            yield person(number)

    imported(gateway.url, source(), given, options=Options(limits=Limits(profiles=1_000)))

    assert came_meanwhile
    assert [result.index for result in given] == list(range(len(given)))
    assert set(gateway.imports.values()) == {1}


@pytest.mark.promise("P-CLIENT-01")
async def test_an_async_source_stays_in_one_context_to_its_end(gateway: Gateway) -> None:
    tenant = ContextVar[str]("tenant")

    async def source() -> AsyncIterator[dict[str, Any]]:
        token = tenant.set("acme")
        for number in range(10):
            await asyncio.sleep(0)
            yield person(number)
        # Raises in another context than the one it was set in.
        tenant.reset(token)

    assert len([result async for result in results(gateway, source())]) == 10


@pytest.mark.parametrize("stubborn", [False, True], ids=["ends", "goes on"])
async def test_an_async_source_that_waits_is_called_off_with_its_run(gateway: Gateway, stubborn: bool) -> None:
    called_off = False

    async def source() -> AsyncIterator[dict[str, Any]]:
        nonlocal called_off
        for number in range(2):
            yield person(number)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            called_off = True
            if not stubborn:
                raise
        for number in range(2, 10):
            yield person(number)

    async with aclosing(results(gateway, source())) as given:
        await anext(given)

    assert called_off


@pytest.mark.parametrize("kind", [in_the_loop, in_place], ids=["async", "plain"])
async def test_a_source_that_is_not_being_asked_is_closed_with_its_run_in_the_context_it_was_read_in(
    gateway: Gateway, kind: Callable[[Source], Any]
) -> None:
    tenant = ContextVar[str]("tenant")
    read, tasks = 0, list[asyncio.Task[Any] | None]()

    def source() -> Generator[dict[str, Any], None, None]:
        nonlocal read
        token = tenant.set("acme")
        tasks.append(asyncio.current_task())
        try:
            for number in range(1_000):
                read = number + 1
                yield person(number)
        finally:
            tasks.append(asyncio.current_task())
            tenant.reset(token)

    # Held, so that it is not closed by being forgotten.
    held = kind(source)
    async with aclosing(results(gateway, held)) as given:
        await anext(given)
        for _ in range(100):
            await asyncio.sleep(0)

    assert read < 1_000
    assert len(tasks) == 2
    assert tasks[0] is tasks[1] is not asyncio.current_task()


async def test_an_input_that_is_no_generator_stays_open(gateway: Gateway) -> None:
    class Rows(Iterator[dict[str, Any]]):
        closed = False

        def __next__(self) -> dict[str, Any]:
            return person(0)

        def close(self) -> None:
            self.closed = True

    rows = Rows()
    async with AsyncClient(gateway.url, TOKEN, PAIRS) as client, aclosing(client.import_and_start(rows, trigger=8)) as given:
        await anext(given)

    assert not rows.closed


async def test_an_async_source_that_cannot_be_closed_is_told_of(gateway: Gateway) -> None:
    told = list[BaseException | None]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context.get("exception")))

    async def source() -> AsyncIterator[dict[str, Any]]:
        try:
            for number in range(1_000):
                yield person(number)
        finally:
            raise OSError("still in use")

    async with aclosing(results(gateway, source())) as given:
        await anext(given)

    assert [repr(error) for error in told] == ["OSError('still in use')"]


async def test_an_async_source_that_ends_its_task_ends_its_run(gateway: Gateway) -> None:
    async def source() -> AsyncIterator[dict[str, Any]]:
        for number in range(2):
            yield person(number)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        async for _ in results(gateway, source()):
            pass


@pytest.mark.promise("P-CLIENT-03")
async def test_no_more_is_read_of_an_async_source_than_is_soon_sent(gateway: Gateway) -> None:
    read = 0

    async def source() -> AsyncIterator[dict[str, Any]]:
        nonlocal read
        for number in range(1_000):
            await asyncio.sleep(0)
            read = number + 1
            yield person(number)

    def when_four_are_there(got: Got, process: Callable[[], Reply]) -> Reply:
        gateway.wait_for(4)
        return process()

    gateway.moods = [when_four_are_there] * 4
    async with aclosing(results(gateway, source())) as given:
        await anext(given)
        await asyncio.to_thread(gateway.wait_for, 4)
        for _ in range(100):
            await asyncio.sleep(0)

        # Eight parts of two, and one in the place of that which is over.
        assert read <= 18


async def test_others_of_the_loop_have_their_turn_while_a_source_is_read_that_never_waits(gateway: Gateway) -> None:
    turn = asyncio.Event()

    async def source() -> AsyncIterator[dict[str, Any]]:
        asyncio.get_running_loop().call_soon(turn.set)
        for number in range(100_000):
            if turn.is_set():
                return
            yield person(number)

    async with AsyncClient(gateway.url, TOKEN, Options(limits=Limits(profiles=100_000))) as client:
        given = [result async for result in client.import_and_start(source(), trigger=8)]

    assert 0 < len(given) < 100_000
