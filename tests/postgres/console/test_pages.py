"""Each page: what it shows, and where it is empty."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from profuse.console.access.rights import Rights
from schemas import links
from schemas.ids import new_id
from schemas.settings import Settings
from tests.launching import World
from tests.postgres.console import rows
from tests.visiting import Visitor, logged_in, visiting


@pytest.mark.promise("P-CONSOLE-10")
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/", "does not know where the processes are"),
        ("/batches", "No batch is like that"),
        ("/pending", "Nothing waits"),
        ("/dead-letters", "There are none"),
        ("/triggers", "There are no triggers"),
        ("/ways", "No account has a provider"),
        ("/ways", "No account has a hook"),
        ("/tokens", "There are no tokens"),
        ("/tokens", "None since the gateways started"),
        ("/actions", "Nothing was done"),
    ],
)
async def test_a_page_with_nothing_on_it_says_so(reader: Visitor, path: str, said: str) -> None:
    assert said in await reader.see(path)


@pytest.mark.promise("P-CONSOLE-10")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/batches/xyz", 404),
        (f"/batches/{'0' * 24}", 404),
        (f"/batches/{'0' * 24}/items/0", 404),
        (f"/batches/{'0' * 24}/items", 404),
        ("/batches?id=xyz", 404),
        ("/batches?account=-1", 400),
        ("/batches?account=2147483648", 400),
        ("/batches?account=%D9%A1", 400),
        ("/batches?trigger=%00", 400),
        ("/batches?before=xyz", 200),
        ("/pending?account=1e3", 400),
        ("/triggers/1/99", 404),
        ("/triggers/x/y", 400),
        ("/dead-letters?topic=events", 400),
        ("/dead-letters?batch=xyz", 400),
        ("/dead-letters?contains=%00", 400),
        ("/dead-letters?reason=%FF%FE", 200),
        ("/dead-letters/one", 400),
        ("/dead-letters/one?id=imports/0/1", 400),
        ("/dead-letters/value?id=imports/0/1", 400),
        ("/actions/99", 404),
        ("/actions/x", 400),
        ("/actions?before=x", 400),
        ("/static/../application.py", 404),
        ("/static/%2e%2e/application.py", 404),
    ],
)
async def test_an_address_that_means_nothing_gets_a_page_that_says_so(reader: Visitor, path: str, status: int) -> None:
    answer = await reader.get(path)

    assert answer.status_code == status
    assert "Traceback" not in answer.text


@pytest.mark.promise("P-CONSOLE-09")
async def test_dead_letters_are_grouped_by_reason_and_shown_decoded(reader: Visitor, world: World, tables: Settings) -> None:
    for offset in range(4):
        await rows.letter(world, tables.topic("imports"), offset, b'{"v":12345678901234567890}', "refused: 22P02")
    await rows.letter(world, tables.topic("matches"), 9, b"{}", "unreadable")
    await world.pool.execute('UPDATE dead_letters SET replayed_at = now() WHERE "offset" = 3')
    page = await reader.see("/dead-letters")
    one = await reader.see("/dead-letters/one?id=imports/0/0")
    filtered = await reader.see("/dead-letters?contains=unread")

    assert '<td class="n">3</td><td class="n">4</td><td>imports</td>' in page
    assert "&#34;v&#34;: 12345678901234567890" in one
    assert "matches/0/9" in filtered
    assert "imports/0/0" not in filtered


@pytest.mark.promise("P-CONSOLE-08")
async def test_a_preview_is_made_by_the_sender_s_own_code_and_says_why_nothing_would_be_sent(reader: Visitor, world: World) -> None:
    await world.pool.execute(
        "UPDATE triggers SET subject = 'Hello {lead._fname}', html = '<p>{if lead.plan equal ''pro''}Pro{else}Free{end}</p>'"
    )
    profile = new_id()
    data = json.dumps({"email": "ann@shop.test", "_fname": "<Ann>", "plan": "pro"})
    await world.pool.execute("INSERT INTO profiles VALUES ($1, $2, $3::jsonb, '[]')", profile, world.database, data)
    page = await reader.see(f"/triggers/1/8?profile={profile.hex()}")
    framed = await reader.get(f"/triggers/1/8/mail?profile={profile.hex()}")
    asked = [
        await reader.see(f"/triggers/1/8?profile={whom}&content={content}")
        for whom, content in (("x", ""), (profile.hex(), "{"), (profile.hex(), "[]"))
    ]
    await world.pool.execute("UPDATE triggers SET active = false")
    inactive = await reader.see(f"/triggers/1/8?profile={profile.hex()}")

    assert "Hello &lt;Ann&gt;" in page
    assert "<p>Pro</p>" in framed.text
    assert framed.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert ["no profile x" in asked[0], "is no JSON" in asked[1], "must be a JSON object" in asked[2]] == [True] * 3
    assert "trigger_inactive" in inactive


@pytest.mark.promise("P-CONSOLE-08")
async def test_a_preview_has_nothing_that_a_browser_connects_for_in_spite_of_its_policy(reader: Visitor, world: World) -> None:
    html = """<LINK rel=preconnect><iframe src=//b.test></iframe><svg><link/></svg><frame src=//c.test><a href="//d.test">A</a>"""
    await world.pool.execute("UPDATE triggers SET html = $1", html)
    profile = new_id()
    await world.pool.execute("INSERT INTO profiles VALUES ($1, $2, $3::jsonb, '[]')", profile, world.database, '{"email": "ann@shop.test"}')
    framed = await reader.get(f"/triggers/1/8/mail?profile={profile.hex()}")
    unknown = await reader.get("/triggers/1/8/mail?profile=%3Clink%20rel=preconnect%20href=//a.test%3E")

    assert framed.text.count("<basefont") == 4
    assert '<a href="//d.test">A</a>' in framed.text
    assert not re.search("<(link|i?frame)", framed.text + unknown.text, re.IGNORECASE)
    assert "&lt;link rel=preconnect" in unknown.text
    assert {answer.headers["x-dns-prefetch-control"] for answer in (framed, unknown)} == {"off"}


@pytest.mark.promise("P-UNSUB-05")
async def test_who_may_look_gets_no_link_that_unsubscribes_anybody(tables: Settings, world: World, tmp_path: Path) -> None:
    key = "a secret of more than thirty-two letters"
    settings = tables.model_copy(update={"public_url": "https://mail.example.com", "link_keys": [SecretStr(key)]})
    await world.pool.execute(
        "WITH news AS (INSERT INTO resources (account, number, name, channel, database) VALUES (1, 24, 'News', 'email', $1) RETURNING id) "
        "UPDATE triggers SET resource = news.id, html = '{unsubscribe}' FROM news",
        world.database,
    )
    profile, news = new_id(), {"resource_id": 24, "channel": "email", "email": "ann@shop.test"}
    await world.pool.execute("INSERT INTO profiles VALUES ($1, $2, '{}', $3::jsonb)", profile, world.database, json.dumps([news]))
    async with visiting(settings, tmp_path) as stranger, logged_in(stranger, settings, Rights.READ, "rita") as reader:
        shown = [await reader.see(f"/triggers/1/8{part}?profile={profile.hex()}") for part in ("", "/mail")]

    found = [re.findall(r"https://mail\.example\.com/u/([\w-]+)", text) for text in shown]
    assert all(found)
    assert {links.read([key], each, datetime.now(UTC)) for text in found for each in text} == {None}


@pytest.mark.promise("P-CONSOLE-08")
async def test_triggers_show_what_they_launched_and_why_launches_failed(reader: Visitor, world: World) -> None:
    batch = await rows.answered(world, 5, {})
    await rows.group(world, batch, 0, 1, 2, 3, due_in=timedelta(0), launched=3, failed=1)
    await rows.failure(world, batch, 3, "HTTP 422")
    page, one = await reader.see("/triggers"), await reader.see("/triggers/1/8")

    assert '<td class="n">3</td><td class="n">0</td><td class="n bad">1</td><td class="n">25.0 %</td>' in page
    assert "HTTP 422" in one


@pytest.mark.promise("P-CONSOLE-08")
async def test_tokens_show_what_is_known_of_their_use(reader: Visitor, world: World, tables: Settings, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO tokens (id, account, name, hash, rights, revoked) OVERRIDING SYSTEM VALUE "
        "VALUES (1, 1, 'shop', 'x', '{import,read}', false), (2, 1, 'old', 'y', '{read}', true)"
    )
    used = await pool.fetchval(
        "INSERT INTO requests VALUES (1, 'r', '/p', 'h', $1, now() + $2) RETURNING now()", new_id(), tables.request_id_kept
    )
    page = await reader.see("/tokens")

    assert used.strftime("%Y-%m-%d %H:%M:%S") in page
    assert "import, read" in page
    assert ">revoked</span>" in page
    assert "only remembered with its Request-ID" in page
