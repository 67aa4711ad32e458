"""Stored profiles that are too large to be held in memory together."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from runtime.postgres import open_pool
from schemas.settings import MIB, Settings
from tests.matching import World, item, new_world, subscription
from workers.exactly_once import TooMuch
from workers.matcher import matching, profiles, refiling

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


@pytest.mark.promise("P-MATCH-09", "P-OPS-17")
async def test_all_that_one_item_means_are_read_however_large_so_that_it_hears_of_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody means more: the holders of an e-mail, two of its subscriptions, of a phone and of its, and of another e-mail."""
    emails, phones = [subscription(24, email="ada@a.test")], [subscription(25, phone="+79000000000")]
    held: list[Any] = [{"email": "ada@a.test"}, *[{"subscriptions": emails}] * 2, *[{"phones": "+79000000000"}] * 2]
    held += [*[{"subscriptions": phones}] * 2, {"email": "eve@a.test"}]
    await world.bring([item(f"P-{number}", crm=f"P-{number}", **data) for number, data in enumerate(held)], "custom", field_name="crm")
    before = await world.profiles()
    monkeypatch.setattr(profiles, "MOST_BYTES", 1)
    either = {"email": "ada@a.test", "phone": "+79000000000"}
    (failed,) = await world.bring([item(either, email="eve@a.test", _fname="Ada")], "email_phone")

    assert failed == {"error": 409, "error_text": "More than one profile matches"}
    assert len(before) == 8
    assert await world.profiles() == before


@pytest.mark.promise("P-OPS-17")
async def test_large_profiles_are_filed_a_few_at_a_time_and_these_however_large(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.bring([item(f"{number}@a.test", crm="any") for number in range(20)])
    await world.pool.execute(_LARGE, MIB)
    monkeypatch.setattr(profiles, "MOST_BYTES", MIB // 2)
    filed: list[bytes] = []
    async with world.transaction() as connection:
        while page := await refiling.file(connection, world.database, filed[-1] if filed else b"", 16):
            filed += page

    assert filed == sorted(bytes.fromhex(profile["_id"]) for profile in await world.profiles())


@pytest.mark.promise("P-OPS-35")
@pytest.mark.parametrize(
    ("field", "stored", "given"),
    [
        ("orders", [{"n": n} for n in range(4_000)], [{"n": -n} for n in range(1, 4_001)]),
        ("interests", [f"t{n}" for n in range(60_000)], [f"g{n}" for n in range(60_000)]),
    ],
)
async def test_an_item_that_deletes_many_of_many_is_no_long_transaction(
    world: World, field: str, stored: list[Any], given: list[Any]
) -> None:
    """Each beside each took 30 s; the server ends a session that is idle for 5."""
    await world.bring([item("ada@a.test", **{field: stored})])
    kept = stored[1:]
    await world.bring([item("ada@a.test", **{field: {"action": "delete", "value": [*given, stored[0]]}})])

    (ada,) = await world.profiles()
    assert ada[field] == kept


@pytest.mark.promise("P-OPS-17")
async def test_items_that_take_long_to_merge_are_merged_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = await world.messages([item("ada@a.test", interests={"action": "add", "value": [f"t{n}"]}) for n in range(3)])
    monkeypatch.setattr(matching, "LONGEST_MERGE", 0.0)
    with pytest.raises(TooMuch):
        await world.apply(messages)
    for message in messages:
        await world.apply([message])

    (ada,) = await world.profiles()
    assert ada["interests"] == ["t0", "t1", "t2"]
