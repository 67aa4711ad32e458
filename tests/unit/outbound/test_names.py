"""Names whose look-up hangs, as where their servers do not answer, and the others beside them."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime.outbound import names
from runtime.outbound.names import Names
from runtime.outbound.posting import NotSent, open_poster
from schemas.settings import Settings
from tests.unit.outbound.test_posting import answering, serving

GOOD = answering(b"HTTP/1.1 204 No Content\r\n\r\n")


@dataclass
class Servers:
    """The world's name servers: names that begin with `dead` or `late` hang until they are told to go on; then the late ones are found."""

    go_on: threading.Event = field(default_factory=threading.Event)
    late: threading.Event = field(default_factory=threading.Event)
    asked: Counter[str] = field(default_factory=Counter)
    threads: set[int] = field(default_factory=set)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    found, ask = Servers(), socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **more: Any) -> Any:
        found.asked[str(host)] += 1
        if str(host).startswith("dead"):
            found.threads.add(threading.get_ident())
            found.go_on.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if str(host).startswith("late"):
            found.late.wait(60)
        return ask("127.0.0.1" if str(host).endswith(".test") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield found
    found.go_on.set()
    found.late.set()


@asynccontextmanager
async def opened() -> AsyncIterator[Names]:
    found = Names()
    try:
        yield found
    finally:
        await found.close()


@asynccontextmanager
async def asking(*tries: Any) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """All at once, and nobody waits for them longer than the block."""
    tasks = [asyncio.create_task(each) for each in tries]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.promise("P-HOOK-08", "P-OUT-06")
async def test_names_that_are_not_found_out_keep_no_other_post_and_no_other_look_up_waiting(servers: Servers) -> None:
    async with serving(GOOD) as url, open_poster(Settings()) as poster:
        dead = [poster.post(f"http://dead-{number}.test/", b"[]", {}, 60) for number in range(100)]
        async with asking(*dead), asyncio.timeout(20):
            await until(lambda: len(servers.threads) >= names.QUICK)
            answer = await poster.post(url.replace("127.0.0.1", "well.test"), b"[]", {}, 10)
            # As Postgres, Kafka and the mail server are looked up.
            found = await asyncio.get_running_loop().getaddrinfo("localhost", 1)

    assert answer.status == 204
    assert found


@pytest.mark.promise("P-OUT-06")
async def test_a_name_is_looked_up_once_for_all_who_ask(servers: Servers) -> None:
    async with opened() as looking, asking(*(looking.resolve("dead.test", port, socket.AF_UNSPEC) for port in range(20))) as tasks:
        await until(lambda: servers.asked["dead.test"] > 0)
        servers.go_on.set()
        said = await asyncio.gather(*tasks, return_exceptions=True)

    assert servers.asked["dead.test"] == 1
    assert {type(each) for each in said} == {socket.gaierror}


async def test_who_gives_up_takes_the_answer_from_nobody_else(servers: Servers) -> None:
    async with opened() as looking, asking(looking.resolve("late.test"), looking.resolve("late.test")) as (first, second):
        await until(lambda: servers.asked["late.test"] > 0)
        first.cancel()
        await asyncio.wait({first})
        servers.late.set()

        assert await second


async def test_a_late_answer_is_taken_though_there_is_no_room_among_those_that_take_long(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "SLOW", 1)
    monkeypatch.setattr(names, "LONG", 0.05)
    async with opened() as looking, asking(looking.resolve("dead.test")):
        await until(lambda: looking.is_suspect("dead.test"))
        async with asking(looking.resolve("late.test")) as (late,), asyncio.timeout(10):
            await until(lambda: looking.is_suspect("late.test"))
            servers.late.set()

            assert await late


@pytest.mark.promise("P-OUT-06")
async def test_what_takes_long_leaves_its_place_to_the_next(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "QUICK", 1)
    monkeypatch.setattr(names, "LONG", 0.05)
    async with opened() as looking, asking(*(looking.resolve(f"dead-{number}.test") for number in range(5))):
        async with asyncio.timeout(10):
            found = await looking.resolve("well.test", 7, socket.AF_INET)

    assert [(each["hostname"], each["host"], each["port"]) for each in found] == [("well.test", "127.0.0.1", 7)]


@pytest.mark.promise("P-OUT-06")
async def test_however_many_took_long_before_they_keep_nobody_waiting_when_they_are_asked_for_again(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "QUICK", 1)
    monkeypatch.setattr(names, "SLOW", 1)
    monkeypatch.setattr(names, "LONG", 0.05)
    dead = "dead-0.test", "dead-1.test"
    async with opened() as looking:
        async with asking(*map(looking.resolve, dead)) as tasks:
            await until(lambda: all(map(looking.is_suspect, dead)))
            servers.go_on.set()
            await asyncio.gather(*tasks, return_exceptions=True)
        servers.go_on.clear()
        async with asking(*map(looking.resolve, dead)), asyncio.timeout(10):
            await until(lambda: servers.asked.total() > len(dead))
            found = await looking.resolve("well.test")

    assert found


@pytest.mark.promise("P-OUT-06")
async def test_a_name_whose_servers_answer_again_is_one_like_all_others(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "LONG", 0.2)
    suspected = []
    async with opened() as looking, asking(looking.resolve("dead.test")) as tasks:
        await until(lambda: looking.is_suspect("dead.test"))
        suspected.append(looking.is_suspect("dead.test"))
        servers.go_on.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        with pytest.raises(OSError, match="Temporary failure"):
            await looking.resolve("dead.test")
        suspected.append(looking.is_suspect("dead.test"))

    assert suspected == [True, False]


@pytest.mark.promise("P-OUT-05")
@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 64 + ".test"], ids=["unknown", "longer than names are"])
async def test_a_name_that_is_none_is_called_nowhere(host: str) -> None:
    async with open_poster(Settings()) as poster:
        with pytest.raises(NotSent):
            await poster.post(f"http://{host}/", b"[]", {}, 10)


@pytest.mark.promise("P-OPS-13")
async def test_a_process_that_ends_waits_for_no_look_up(servers: Servers) -> None:
    async with opened() as looking, asking(looking.resolve("dead.test")):
        await until(lambda: bool(servers.threads))
        waiting = [thread for thread in threading.enumerate() if thread.ident in servers.threads]

    assert [thread.daemon for thread in waiting] == [True]


async def until(is_met: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_met():
            await asyncio.sleep(0.01)
