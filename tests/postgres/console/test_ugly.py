"""Ugly names and values, on every page."""

import html
import json
from datetime import timedelta

import pytest

from schemas.settings import Settings
from tests.launching import World
from tests.postgres.console import rows
from tests.visiting import Visitor

TOO_LONG = "x" * 100_000
UGLY = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "\u202egnp.exe",
    "Юля 李 🎉",
    "\u200fمی\u200cرسم\u00a0👩\u200d👧",
    "a\r\nb\x07",
    TOO_LONG,
]


async def ugly_world(world: World, ugly: str, settings: Settings) -> bytes:
    """Everything that somebody can name has this name."""
    pool = world.pool
    await pool.execute("UPDATE accounts SET name = $1", ugly)
    await pool.execute("UPDATE triggers SET name = $1, subject = $1, html = $1", ugly)
    await pool.execute(
        "INSERT INTO tokens (id, account, name, hash, rights) OVERRIDING SYSTEM VALUE VALUES (1, 1, $1, 'x', '{read}')", ugly
    )
    await pool.execute(
        "INSERT INTO providers (account, name, channel, url, secrets, concurrency, timeout, active) "
        "VALUES (1, $1, 'sms', 'u', '{}', 1, 1, true)",
        ugly,
    )
    await pool.execute("INSERT INTO provider_states (provider, paused_at, why) SELECT id, now(), $1 FROM providers", ugly)
    await pool.execute(
        "INSERT INTO hooks (account, name, url, secrets, batch, timeout, success, active, paused_at, paused_because) "
        "VALUES (1, $1, 'u', '{}', 1, 1, '', true, now(), $1)",
        ugly,
    )
    batch = await rows.answered(world, 3, {1: {"error": 400, "error_text": "Unknown field", "field": ugly}})
    await pool.execute("UPDATE results SET custom_data = $1", json.dumps({"0": {"a": ugly}}))
    await rows.group(world, batch, 0, 2, due_in=timedelta(0), launched=1, failed=1)
    await rows.failure(world, batch, 2, ugly)
    await rows.group(world, await rows.answered(world, 1, {}), 0)
    await pool.execute(
        "INSERT INTO requests VALUES (1, $1, '/p', 'h', $2, now() + interval '1 day')",
        ugly.replace("\n", "").replace("\r", "")[:128],
        batch,
    )
    await rows.letter(world, settings.topic("imports"), 1, ugly.encode(), ugly, batch, 1, key=ugly.encode())
    await pool.execute(
        "INSERT INTO console_actions (who, what, form, scope) VALUES ($1, 'cancel', 'f', jsonb_build_object('reason', $1::text))", ugly
    )
    await pool.execute(
        "INSERT INTO profiles VALUES ($1, $2, $3::jsonb, '[]')",
        rows.PROFILE,
        world.database,
        json.dumps({"email": "a@b.test", "_fname": ugly}),
    )
    return batch


@pytest.mark.promise("P-CONSOLE-06")
@pytest.mark.parametrize("ugly", UGLY, ids=lambda ugly: ugly[:12])
async def test_whatever_things_are_called_it_is_shown_as_text_and_in_bounded_length(
    operator: Visitor, world: World, tables: Settings, ugly: str
) -> None:
    batch = (await ugly_world(world, ugly, tables)).hex()
    profile = rows.PROFILE.hex()
    paths = [
        "/",
        "/batches",
        f"/batches/{batch}",
        f"/batches/{batch}/items",
        *(f"/batches/{batch}/items/{item}" for item in range(3)),
        "/pending",
    ]
    paths += ["/dead-letters", "/dead-letters/one?id=imports/0/1", "/triggers", f"/triggers/1/8?profile={profile}", "/ways", "/tokens"]
    pages = {path: await operator.see(path) for path in [*paths, "/actions", "/actions/1"]}

    for path, page in pages.items():
        assert "<script>" not in page, path
        assert "<img" not in page, path
        # Of each thing a part, and of a letter's value so much that it can be judged.
        assert len(page) < 250_000, path
    if ugly != TOO_LONG:
        shown = html.escape(ugly, quote=True).splitlines()[0].split("\x07")[0]
        assert shown.replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in pages["/ways"]


@pytest.mark.promise("P-CONSOLE-06", "P-CONSOLE-09")
@pytest.mark.parametrize("value", [b"\xff\xfe" * 2**19, b'{"a":"' + b"x" * 2**20 + b'"}', b"<script>" * 2**17, None, b""])
async def test_a_large_or_binary_value_is_shown_in_part_and_downloaded_whole(
    operator: Visitor, world: World, tables: Settings, value: bytes | None
) -> None:
    await rows.letter(world, tables.topic("imports"), 1, value, "unreadable")
    page = await operator.see("/dead-letters/one?id=imports/0/1")
    whole = await operator.get("/dead-letters/value?id=imports/0/1")

    assert len(page) < 700_000
    assert "<script>" not in page
    assert whole.content == (value or b"")
    assert (whole.headers["content-type"], whole.headers["content-disposition"].split(";")[0]) == ("application/octet-stream", "attachment")
