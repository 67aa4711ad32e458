"""Searching by tags costs the same few blocks however many carry them."""

import json
from collections.abc import AsyncIterator

import pytest

from runtime.postgres import open_pool
from schemas.identities import tagged
from schemas.kinds import Kind
from schemas.settings import Settings
from store import tag_search
from store.tag_search import MOST_STEPS
from tests.matching import World, item, new_world

MANY = 50_000
AMBIGUOUS = {"error": 409, "error_text": "More than one profile matches"}
# `n` is the same for all tags of a carrier.
_CARRYING = """
    INSERT INTO identities SELECT $1, $2, $3, n, decode(lpad(to_hex(n), 24, '0'), 'hex') FROM generate_series($4::bigint, $5, $6) AS n
"""
_LIVING = "INSERT INTO profiles SELECT DISTINCT profile, database, '{}'::jsonb, '[]'::jsonb FROM identities ON CONFLICT DO NOTHING"


@pytest.fixture
async def world(tables: Settings) -> AsyncIterator[World]:
    async with await open_pool(tables, 2) as pool:
        yield await new_world(pool)


async def carried(world: World, tag: str, first: int, step: int, count: int = MANY) -> None:
    """By every so manieth of those who carry anything."""
    ((kind, value),) = tagged("interests", [tag])
    await world.pool.execute(_CARRYING, world.database, kind, value, first, first + step * (count - 1), step)
    await world.pool.execute(_LIVING)


async def blocks(world: World, *tags: str) -> int:
    """Looked at by one search."""
    await world.pool.execute("ANALYZE identities")
    spelled = f"{{{','.join(value for _, value in tagged('interests', tags))}}}"
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {tag_search.CARRIERS}"
    ((told,),) = await world.pool.fetch(explain, [world.database], [spelled], Kind.FIELD, [], MOST_STEPS)
    plan = json.loads(told)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def by_tags(world: World, tags: str, **data: object) -> dict[str, object]:
    (entry,) = await world.bring([item(tags, **data)], "custom", field_name="interests")
    return entry


@pytest.mark.promise("P-MATCH-32")
async def test_a_tag_that_very_many_carry_costs_a_few_blocks(world: World) -> None:
    await carried(world, "art", 1, 1)

    assert await blocks(world, "art") < 40


@pytest.mark.promise("P-MATCH-32")
async def test_tags_that_very_many_carry_and_nobody_both_cost_so_many_steps_and_no_more(world: World) -> None:
    await carried(world, "art", 2, 2)
    await carried(world, "sea", 3, 2)

    assert await blocks(world, "art", "sea") < 10 * MOST_STEPS
    assert await by_tags(world, "art, sea") == AMBIGUOUS


@pytest.mark.promise("P-MATCH-32")
async def test_a_rare_tag_is_found_among_those_that_very_many_carry(world: World) -> None:
    await carried(world, "art", 1, 1)
    (ada,) = await world.bring([item("ada@a.test", interests=["art", "rare"])])

    assert await blocks(world, "art", "rare") < 80
    assert await by_tags(world, "rare, art") == ada
    assert await by_tags(world, "art") == AMBIGUOUS


@pytest.mark.promise("P-MATCH-06")
async def test_up_to_the_limit_it_is_known_for_certain_who_carries_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_search, "MOST_STEPS", 30)
    await carried(world, "art", 2, 2, 9)
    await carried(world, "sea", 3, 2, 9)
    made = await by_tags(world, "sea, art", email="ada@a.test")

    assert await by_tags(world, "art, sea", _fname="Ada") == made
    assert (await world.profile(made))["_fname"] == "Ada"


@pytest.mark.promise("P-MATCH-32")
async def test_where_no_end_is_in_sight_nobody_is_taken_for_the_only_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_search, "MOST_STEPS", 6)
    (ada,) = await world.bring([item("ada@a.test", interests=["art", "sea"])])
    n = await world.pool.fetchval("SELECT max(n) FROM identities")
    await carried(world, "art", n + 2, 2, 9)
    await carried(world, "sea", n + 3, 2, 9)

    assert await by_tags(world, "art, sea", _fname="Ada") == AMBIGUOUS
    assert "_fname" not in await world.profile(ada)
