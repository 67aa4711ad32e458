"""What traces cost: the same requests in turns, traced and not, in one stack, so that both meet the same machine.

`python -m bench.traced`; the machine may be busy, but not for one of the two alone.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import NamedTuple

import asyncpg

from bench import cpu
from bench.account import PATH, data
from bench.client import Connection, connected
from bench.mails import sinking
from bench.requests import starting
from bench.serving import serving
from bench.stack import Stack, running

_ROOMS = ("gateway", "matcher", "launcher")
# Its last digit says whether.
_HEADER = "traceparent: 00-{:032x}-b7ad6b7169203331-0{:d}\r\n"
_TURNS = 8
_AT_ONCE = 8
# Seconds after which what was told is on its way.
_TOLD = 2.0
_LEFT = "SELECT $1 - coalesce(sum(cardinality(items)), 0) FROM profuse.launches"
_DUE = "UPDATE profuse.launches SET run_at = now(), due_at = now() WHERE finished_at IS NULL"
_OPEN = "SELECT count(*) FROM profuse.launches WHERE finished_at IS NULL"


class Kind(NamedTuple):
    """So many requests of so many profiles; of one profile in `step` the launch is a mail, as `account` has it."""

    name: str
    requests: int
    profiles: int
    step: int
    first: int


_KINDS = (Kind("single requests, each with a mail", 400, 1, 50, 0), Kind("requests of 10,000", 1, 10_000, 1, 10**7))

Spent = Mapping[str, float]


class Turns:
    """One stack, asked again and again."""

    def __init__(self, stack: Stack, pool: asyncpg.Pool) -> None:
        self._stack = stack
        self._pool = pool
        self._asked = 0
        self._turn = 0

    async def taken(self, kind: Kind) -> tuple[list[Spent], list[Spent]]:
        """Seconds of the rooms in each turn: not traced, and traced."""
        both: tuple[list[Spent], list[Spent]] = [], []
        # The first two meet a stack that has done nothing.
        for turn in range(-2, 2 * _TURNS):
            spent = await self._one(kind, turn % 2)
            if turn >= 0:
                both[turn % 2].append(spent)
        return both

    async def _one(self, kind: Kind, traced: int) -> Spent:
        self._turn += 1
        self._asked += kind.requests * kind.profiles
        bodies = list(_bodies(kind, self._turn))
        before = cpu.spent(self._stack.directory)
        async with connected(self._stack.api + PATH, _AT_ONCE, _HEADER.format(self._turn, traced)) as connections:
            waiting = iter(bodies)
            await asyncio.gather(*[_sent(connection, waiting, kind.profiles) for connection in connections])
        await self._until_none(_LEFT, self._asked)
        await self._pool.execute(_DUE)
        await self._until_none(_OPEN)
        await asyncio.sleep(_TOLD)
        return cpu.since(before, self._stack.directory)

    async def _until_none(self, question: str, *given: int) -> None:
        while await self._pool.fetchval(question, *given) > 0:
            await asyncio.sleep(0.1)


def _bodies(kind: Kind, turn: int) -> Iterator[bytes]:
    size = kind.requests * kind.profiles
    numbers = iter(range(kind.first + turn * size, kind.first + (turn + 1) * size))
    for _ in range(kind.requests):
        yield starting([data(next(numbers) * kind.step, 0) for _ in range(kind.profiles)])


async def _sent(connection: Connection, waiting: Iterator[bytes], profiles: int) -> None:
    for body in waiting:
        (await connection.post(body)).ids(profiles)


def _tell(kind: Kind, both: tuple[Sequence[Spent], Sequence[Spent]]) -> None:
    profiles = kind.requests * kind.profiles
    print(f"{kind.name}, µs of CPU a profile, median of {_TURNS} turns (lowest)")
    for room in _ROOMS:
        plain, traced = ([each[room] / profiles * 1e6 for each in side] for side in both)
        print(f"  {room}: {median(plain):.1f} ({min(plain):.1f}) not traced, {median(traced):.1f} ({min(traced):.1f}) traced")


async def _measured(stack: Stack) -> None:
    async with asyncpg.create_pool(stack.postgres, min_size=0) as pool:
        turns = Turns(stack, pool)
        for kind in _KINDS:
            _tell(kind, await turns.taken(kind))


def main() -> None:
    with serving("bench.receiver") as collector, sinking() as mail:
        settings = {**mail, "PROFUSE_TRACES": collector, "PROFUSE_TRACES_RATIO": "0"}
        with running("--matchers", "1", settings=settings) as stack:
            asyncio.run(_measured(stack))


if __name__ == "__main__":
    main()
