"""Files of mails, as they are read and encoded for groups of launches."""

import asyncio
import random
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import pytest

from schemas.settings import MIB, Settings
from tests import mails
from tests.launching import World, launch, new_world
from tests.standing import watched
from workers.launcher.channels.email import enclosing
from workers.launcher.channels.email.mail import compose
from workers.launcher.deliver.enclosures import Enclosures

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
# Most seconds of work between two turns of the loop; encoding a slice there is twice as much.
STILL = 0.02


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


def patiently() -> bool:
    return True


async def batch_with(world: World, *files: tuple[str, str, bytes]) -> bytes:
    batch = await world.batch()
    await world.pool.executemany(
        "INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, $2, $3, $4, $5)",
        [(batch, at, *file) for at, file in enumerate(files)],
    )
    return batch


@pytest.mark.promise("P-LAUNCH-10")
async def test_files_of_any_size_arrive_as_they_were(world: World) -> None:
    sizes = [0, 1, 56, 57, 58, enclosing.SLICE - 1, enclosing.SLICE, enclosing.SLICE + 1]
    files = [(f"ü{size}", "image/png", random.Random(size).randbytes(size)) for size in sizes]  # noqa: S311  # no secret
    batch = await batch_with(world, *files)

    async with Enclosures(world.pool, 100 * MIB).of(1, batch, patiently) as enclosed:
        sent = compose(launch(enclosed=enclosed or ()), NOW, "mail.example")

    arrived = mails.read(b"".join([sent.content, *sent.enclosed])).files()
    assert [(part.file_name(), part.raw("Content-Type"), part.data()) for part in arrived] == files


async def test_no_line_of_a_file_has_to_be_quoted(world: World) -> None:
    batch = await batch_with(world, (".", "text/plain", b"\r\n.\r\n" * 100), ("..", "a/b", b""))

    async with Enclosures(world.pool, MIB).of(1, batch, patiently) as enclosed:
        lines = b"".join(enclosed or ()).split(b"\r\n")

    assert not [line for line in lines if line.startswith(b".")]


@pytest.mark.promise("P-LAUNCH-25")
async def test_groups_of_one_batch_share_what_is_encoded_once(world: World) -> None:
    batch = await batch_with(world, ("a", "text/plain", b"a" * MIB))
    enclosures = Enclosures(world.pool, 2 * MIB)

    async with AsyncExitStack() as groups:
        first, second = await asyncio.gather(*(groups.enter_async_context(enclosures.of(1, batch, patiently)) for _ in range(2)))

    assert first is second


@pytest.mark.promise("P-LAUNCH-25")
async def test_files_wait_for_room_and_get_it_when_others_are_done(world: World) -> None:
    one, other = [await batch_with(world, ("a", "text/plain", b"a" * MIB)) for _ in range(2)]
    enclosures = Enclosures(world.pool, 2 * MIB)

    async with enclosures.of(1, one, patiently):
        waiting = asyncio.create_task(_lent(enclosures, 2, other))
        done, _ = await asyncio.wait([waiting, asyncio.create_task(_lent(enclosures, 2, one))], return_when=asyncio.FIRST_COMPLETED)
        assert waiting not in done

    assert await asyncio.wait_for(waiting, 10) > MIB


@pytest.mark.promise("P-LAUNCH-25")
@pytest.mark.parametrize("moment", range(12))
async def test_a_group_that_is_given_up_holds_no_room(world: World, moment: int) -> None:
    batch = await batch_with(world, ("a", "text/plain", b"a" * (2 * enclosing.SLICE)))
    enclosures = Enclosures(world.pool, MIB)
    given_up = asyncio.create_task(_lent(enclosures, 1, batch))
    await asyncio.sleep(moment / 500)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)

    assert await asyncio.wait_for(_lent(enclosures, 2, batch), 10) > 2 * enclosing.SLICE
    assert not enclosures._budget._used


async def test_files_that_cannot_be_read_hold_no_room(world: World) -> None:
    batch = await batch_with(world, ("a", "text/plain", b"a" * MIB))
    broken = Enclosures(world.pool, MIB)
    await world.pool.execute("ALTER TABLE attachments RENAME COLUMN data TO gone")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await _lent(broken, 1, batch)
    await world.pool.execute("ALTER TABLE attachments RENAME COLUMN gone TO data")

    assert await asyncio.wait_for(_lent(broken, 2, batch), 10) > MIB


@pytest.mark.promise("P-LAUNCH-25")
async def test_no_launch_waits_while_files_are_encoded(world: World) -> None:
    batch = await batch_with(world, ("a", "image/png", random.Random(1).randbytes(40 * MIB)))  # noqa: S311  # no secret

    async with watched() as stood:
        size = await _lent(Enclosures(world.pool, 100 * MIB), 1, batch)

    assert size > 50 * MIB
    assert max(stood) < STILL


async def _lent(enclosures: Enclosures, account: int, batch: bytes) -> int:
    async with enclosures.of(account, batch, patiently) as enclosed:
        return sum(map(len, enclosed or ()))
