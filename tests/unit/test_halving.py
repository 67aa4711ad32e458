"""Pure but for the clock: how many rows are deleted at a time."""

import asyncpg
import pytest

from workers.retention import halving
from workers.retention.halving import Portion, until_none


class Server:
    """Gets through so many rows in time."""

    def __init__(self, bears: int, rows: int = 1_000) -> None:
        self.bears = bears
        self.rows = rows
        self.asked: list[int] = []

    async def delete(self, most: int) -> int:
        self.asked.append(most)
        if most > self.bears:
            raise asyncpg.QueryCanceledError("too long")
        gone = min(most, self.rows)
        self.rows -= gone
        return gone


@pytest.mark.promise("P-OPS-41")
async def test_what_takes_too_long_is_tried_again_with_half_of_it_until_it_passes() -> None:
    server = Server(bears=60)

    assert (await Portion(200).of(server.delete), server.asked) == (50, [200, 100, 50])


@pytest.mark.promise("P-OPS-41")
async def test_what_is_too_much_alone_is_told() -> None:
    server = Server(bears=0)
    with pytest.raises(asyncpg.QueryCanceledError):
        await Portion(5).of(server.delete)

    assert server.asked == [5, 2, 1]


async def test_it_grows_again_where_the_server_is_quick_and_never_beyond_the_most() -> None:
    server, portion = Server(bears=50), Portion(200)
    await portion.of(server.delete)
    server.bears = 1_000
    server.asked.clear()
    for _ in range(4):
        await portion.of(server.delete)

    assert server.asked == [100, 200, 200, 200]


async def test_it_does_not_grow_while_the_server_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halving, "LIMIT_MS", 0)
    server, portion = Server(bears=50), Portion(200)
    for _ in range(3):
        await portion.of(server.delete)

    assert server.asked == [200, 100, 50, 50, 50]


async def test_no_more_is_asked_for_than_is_left() -> None:
    server, portion = Server(bears=4), Portion(200)

    assert (await portion.of(server.delete, 9), server.asked) == (4, [9, 4])


async def test_all_goes_and_is_counted() -> None:
    server = Server(bears=7, rows=20)

    assert (await until_none(server.delete, 10), server.rows) == (20, 0)
