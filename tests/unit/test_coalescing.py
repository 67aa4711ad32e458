"""What waits for one server is done together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from runtime.coalescing import Coalescing


class Away(Exception):
    """The server does not answer."""


class Refused(Exception):
    """The server refuses what it is asked."""


@dataclass
class Server:
    """Answers when the test lets it, with as many as it was asked for before; an x it refuses."""

    calls: list[list[str]] = field(default_factory=list)
    lets: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    away: bool = False

    async def ask(self, things: Sequence[str]) -> Sequence[str]:
        self.calls.append(list(things))
        await self.lets.acquire()
        if self.away:
            raise Away
        if "x" in things:
            raise Refused
        return [f"{thing}{len(self.calls)}" for thing in things]

    def together(self) -> Coalescing[str, str]:
        return Coalescing(self.ask, (Away,))


async def begin(coalescing: Coalescing[str, str], *things: str) -> list[asyncio.Task[str]]:
    """Questions under way, in this order."""
    begun = [asyncio.create_task(coalescing.do(thing)) for thing in things]
    for _ in range(4):
        await asyncio.sleep(0)
    return begun


async def test_what_came_while_the_server_was_busy_is_asked_in_one_go() -> None:
    server = Server()
    coalescing = server.together()
    begun = [*await begin(coalescing, "a"), *await begin(coalescing, "b", "c")]
    server.lets.release()
    server.lets.release()

    assert await asyncio.wait_for(asyncio.gather(*begun), 10) == ["a1", "b2", "c2"]
    assert server.calls == [["a"], ["b", "c"]]


async def test_with_a_lane_that_is_free_nobody_waits_for_a_call_that_is_slow() -> None:
    server = Server()
    coalescing = Coalescing(server.ask, (Away,), lanes=2)
    await begin(coalescing, "a")
    await begin(coalescing, "b")
    begun = await begin(coalescing, "c", "d")

    assert server.calls == [["a"], ["b"]]

    for _ in range(3):
        server.lets.release()
    await asyncio.wait_for(asyncio.gather(*begun), 10)

    assert server.calls == [["a"], ["b"], ["c", "d"]]


async def test_what_is_too_much_for_one_call_is_done_by_as_many_as_there_are_lanes() -> None:
    server = Server()
    coalescing = Coalescing(server.ask, (Away,), lanes=2)
    begun = await begin(coalescing, *["a"] * 1_200)

    assert [len(call) for call in server.calls] == [512, 512]

    for _ in range(3):
        server.lets.release()
    await asyncio.wait_for(asyncio.gather(*begun), 10)

    assert [len(call) for call in server.calls] == [512, 512, 176]


async def test_who_comes_at_the_same_time_costs_one_task() -> None:
    server = Server()
    coalescing = Coalescing(server.ask, (Away,), lanes=3)
    begun = [asyncio.create_task(coalescing.do(thing)) for thing in "abc"]
    await asyncio.sleep(0)

    assert len(asyncio.all_tasks()) == 1 + len(begun) + 1

    server.lets.release()
    await asyncio.gather(*begun)


async def test_nobody_hears_of_an_answer_before_it_is_there() -> None:
    server = Server()
    begun = await begin(server.together(), "a", "b")

    assert not any(each.done() for each in begun)

    server.lets.release()
    await asyncio.gather(*begun)


async def test_a_server_that_is_away_is_everybodys_trouble() -> None:
    server = Server(away=True, lets=asyncio.Semaphore(9))
    answers = await asyncio.gather(*await begin(server.together(), "a", "b", "c"), return_exceptions=True)

    assert [type(answer) for answer in answers] == [Away] * 3
    assert server.calls == [["a", "b", "c"]]


async def test_what_is_refused_for_one_is_asked_for_each_alone() -> None:
    server = Server(lets=asyncio.Semaphore(9))
    answers = await asyncio.gather(*await begin(server.together(), "a", "x", "c"), return_exceptions=True)

    assert server.calls == [["a", "x", "c"], ["a"], ["x"], ["c"]]
    assert [answers[0], type(answers[1]), answers[2]] == ["a2", Refused, "c4"]


@pytest.mark.promise("P-EVENT-04")
@pytest.mark.parametrize("gives_up", [0, 1])
async def test_whoever_gives_up_takes_nobody_along(gives_up: int) -> None:
    server = Server()
    begun = await begin(server.together(), "a", "b")
    begun.pop(gives_up).cancel()
    await asyncio.sleep(0)
    server.lets.release()

    assert await asyncio.wait_for(begun[0], 10) in ("a1", "b1")
    assert server.calls == [["a", "b"]]


async def test_what_is_given_up_is_not_waited_for() -> None:
    server = Server()
    coalescing = server.together()
    (asked,) = await begin(coalescing, "a")
    asked.cancel()
    await asyncio.wait_for(coalescing.close(), 10)

    assert server.calls == [["a"]]


async def test_after_a_pause_it_begins_anew() -> None:
    server = Server(lets=asyncio.Semaphore(9))
    coalescing = server.together()

    assert [await coalescing.do("a"), await coalescing.do("b")] == ["a1", "b2"]
