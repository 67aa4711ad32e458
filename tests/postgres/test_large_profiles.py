"""Stored profiles that are too large to be held in memory together."""

from collections.abc import AsyncIterator

import pytest

from runtime.postgres import open_pool
from schemas.settings import MIB, Settings
from tests.matching import World, item, new_world
from workers.exactly_once import TooMuch
from workers.matcher import profiles, refiling

# Half a MiB each, compressed on disk to nearly nothing, and not at all.
_LARGE = "UPDATE profiles SET data = data || jsonb_build_object('_fname', repeat('x', $1))"
_DENSE = """
    UPDATE profiles SET data = data || jsonb_build_object('_fname', (
        SELECT string_agg(md5(profiles.id::text || n), '') FROM generate_series(1, $1::int / 32) AS n
    ))
"""


@pytest.fixture
async def world(tables: Settings) -> AsyncIterator[World]:
    async with await open_pool(tables, 2) as pool:
        yield await new_world(pool)


@pytest.mark.promise("P-OPS-17")
@pytest.mark.parametrize("large", [_LARGE, _DENSE], ids=["compressed", "dense"])
async def test_a_chunk_that_means_too_much_is_refused_and_its_parts_are_not(world: World, large: str) -> None:
    items = [item(f"{number}@a.test", _lname="any") for number in range(2 * profiles.MOST_BYTES // MIB + 1)]
    await world.bring(items)
    await world.pool.execute(large, MIB // 2)
    messages = await world.messages([each | {"data": {"_lname": "other"}} for each in items])
    with pytest.raises(TooMuch):
        await world.apply(messages)
    for part in (messages[::2], messages[1::2]):
        await world.apply(part)

    assert {profile["_lname"] for profile in await world.profiles()} == {"other"}


@pytest.mark.promise("P-OPS-17")
async def test_large_profiles_are_filed_a_few_at_a_time_and_one_alone_however_large(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.bring([item(f"{number}@a.test", crm="any") for number in range(5)])
    await world.pool.execute(_LARGE, MIB)
    monkeypatch.setattr(profiles, "MOST_BYTES", MIB // 2)
    filed: list[bytes] = []
    async with world.transaction() as connection:
        while page := await refiling.file(connection, world.database, filed[-1] if filed else b"", 4):
            filed += page

    assert filed == sorted(bytes.fromhex(profile["_id"]) for profile in await world.profiles())
