"""Work that takes seconds goes by turns of the accounts."""

import asyncio
from collections.abc import Callable

import pytest

from ingest.admission import turns
from ingest.admission.turns import NoTurn, Turns

pytestmark = pytest.mark.promise("P-OPS-50")


class Work:
    """Of several accounts, each piece of which ends when it is told."""

    def __init__(self) -> None:
        self._turns = Turns()
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    def ask(self, *names: str) -> list[asyncio.Task[None]]:
        """Of the account that the name begins with."""
        return [asyncio.create_task(self._do(name)) for name in names]

    def end(self, name: str) -> None:
        self._ends[name].set()

    async def _do(self, name: str) -> None:
        end = self._ends[name] = asyncio.Event()
        async with self._turns.of(ord(name[0])):
            self.begun.append(name)
            await end.wait()


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0)


async def test_of_each_account_one_is_done_at_a_time_in_the_order_in_which_they_came() -> None:
    work = Work()
    asked = work.ask("a1", "a2", "a3", "b1", "b2", "c1")
    await _until(lambda: len(work.begun) == 2)
    assert work.begun == ["a1", "b1"]
    for name in ("a1", "c1", "b1", "a2", "b2", "a3"):
        await _until(lambda name=name: name in work.begun)  # type: ignore[misc]
        work.end(name)
    await asyncio.gather(*asked)

    assert work.begun == ["a1", "b1", "c1", "a2", "b2", "a3"]


async def test_one_account_keeps_no_other_waiting_and_is_refused_beyond_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_PATIENCE", 600)
    work = Work()
    asked = work.ask(*(f"a{number}" for number in range(turns._MOST)))
    await _until(lambda: bool(work.begun))
    with pytest.raises(NoTurn):
        await work.ask("a99")[0]
    asked += work.ask("b1")
    await _until(lambda: "b1" in work.begun)

    assert work.begun == ["a0", "b1"]
    for task in asked:
        task.cancel()
    await asyncio.wait(asked)
    assert not work._turns._accounts


async def test_who_waits_for_too_long_is_refused_and_takes_nothing_along(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    first, second, *_ = work.ask("a1", "b1")
    await _until(lambda: len(work.begun) == 2)
    monkeypatch.setattr(turns, "_PATIENCE", 0.01)
    for late in work.ask("a2", "c1"):
        with pytest.raises(NoTurn):
            await late
    monkeypatch.undo()
    work.end("a1")
    work.end("b1")
    await asyncio.gather(first, second)
    later = work.ask("a3", "c3")
    await _until(lambda: work.begun[2:] == ["a3", "c3"])
    for name in ("a3", "c3"):
        work.end(name)
    await asyncio.gather(*later)
