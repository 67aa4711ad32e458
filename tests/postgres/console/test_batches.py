"""Batches, their failures, and their items on their way."""

import csv
import io
import json
from datetime import timedelta

import pytest

from schemas.settings import Settings
from tests.launching import World
from tests.postgres.console import rows
from tests.visiting import Visitor


@pytest.mark.promise("P-CONSOLE-04")
async def test_a_batch_shows_its_stages_and_what_failed_by_error_and_field(reader: Visitor, world: World) -> None:
    errors = {item: {"error": 400, "error_text": "Incorrect email", "field": "email"} for item in range(3)}
    errors[3] = {"error": 409, "error_text": "More than one profile matches"}
    batch = await rows.answered(world, 10, errors)
    await world.pool.execute(
        "UPDATE batches SET rejects = $1::jsonb", json.dumps({"9": {"error": 400, "error_text": "Incorrect email", "field": "email"}})
    )
    await rows.group(world, batch, 4, 5)
    await rows.group(world, batch, 6, due_in=timedelta(0), failed=1)
    await rows.failure(world, batch, 6, "HTTP 422")
    page = await reader.see(f"/batches/{batch.hex()}")
    listed = await reader.see("/batches?account=1&trigger=8&failed=yes")

    assert '<td class="n">4</td><td class="n">400</td><td>Incorrect email</td><td><code>email</code></td>' in page
    assert '<td class="n">1</td><td class="n">409</td><td>More than one profile matches</td><td></td>' in page
    assert "2 wait, 0 launched, 0 skipped" in page
    assert "HTTP 422" in page
    assert "tasks/status" in page
    assert batch.hex() in listed
    assert batch.hex() not in await reader.see("/batches?account=2")


@pytest.mark.promise("P-CONSOLE-04")
async def test_the_failures_of_a_batch_are_csv_that_no_spreadsheet_computes(reader: Visitor, world: World) -> None:
    batch = await rows.answered(world, 3, {1: {"error": 400, "error_text": "Unknown field", "field": '=HYPERLINK("http://evil")'}})
    await rows.group(world, batch, 2, due_in=timedelta(0), failed=1)
    await rows.failure(world, batch, 2, 'HTTP 422, said "no"\nand more')
    answer = await reader.get(f"/batches/{batch.hex()}/failures.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.text, newline=""))) == [
        ["stage", "item", "error", "error_text", "field", "trigger", "profile_id"],
        ["import", "1", "400", "Unknown field", '\'=HYPERLINK("http://evil")', "", ""],
        ["launch", "2", "", 'HTTP 422, said "no"\nand more', "", "8", rows.PROFILE.hex()],
    ]


@pytest.mark.promise("P-CONSOLE-04")
async def test_an_item_is_followed_from_its_request_to_its_launch(reader: Visitor, world: World, tables: Settings) -> None:
    batch = await rows.answered(world, 4, {1: {"error": 404, "error_text": "Profile not found"}})
    await world.pool.execute(
        "INSERT INTO tokens (id, account, name, hash, rights) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'shop', 'x', '{read}')"
    )
    await world.pool.execute("INSERT INTO requests VALUES (1, 'order-7', '/p', 'h', $1, now() + interval '1 day')", batch)
    await rows.group(world, batch, 0, due_in=timedelta(0), launched=1)
    await rows.group(world, batch, 2, due_in=timedelta(0), failed=1)
    await rows.failure(world, batch, 2, "HTTP 422")
    await rows.letter(world, tables.topic("imports"), 5, b"{}", "unreadable", batch, 1)
    sent, failed_item, failed_launch, waits = [await reader.see(f"/batches/{batch.hex()}/items/{item}") for item in range(4)]
    listed = await reader.see(f"/batches/{batch.hex()}/items")

    assert "token <bdi>shop</bdi>" in sent
    assert ">launched</span>" in sent
    assert "Profile not found" in failed_item
    assert "/dead-letters/one?id=imports%2F0%2F5" in failed_item
    assert "none: the item failed" in failed_item
    assert "HTTP 422" in failed_launch
    assert "none was scheduled" in waits
    assert listed.count(rows.PROFILE.hex()) == 3
    assert (await reader.get(f"/batches/{batch.hex()}/items?item=2")).headers["location"].endswith("/items/2")


async def test_batches_are_shown_in_pages_and_all_are_found(reader: Visitor, world: World) -> None:
    made = {(await rows.answered(world, 1, {})).hex() for _ in range(120)}
    found: set[str] = set()
    path: str | None = "/batches"
    while path:
        page = await reader.see(path)
        found |= {part[:24] for part in page.split('<a href="/batches/')[1:]}
        path = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&") if 'rel="next"' in page else None

    assert found == made
