"""`profuse triggers render`."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from profuse.applying import apply
from profuse.rendering import render
from runtime.errors import CannotRun
from schemas import links
from schemas.ids import new_id
from schemas.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
KEY = "a secret of more than thirty-two letters"
pytestmark = pytest.mark.promise("P-DOOR-38")


@pytest.fixture
async def profile(tables: Settings, pool: asyncpg.Pool) -> str:
    for name in ("demo.toml", "channels.toml"):
        await apply(tables, (EXAMPLES / name).read_text())
    id_ = new_id()
    data = {"email": "ann@shop.test", "_fname": "Юля <b>", "plan": "pro", "phones": ["+79000000001"]}
    device = {"resource_id": 25, "channel": "push", "provider": "ios", "subscription_id": "device-1"}
    await pool.execute(
        "INSERT INTO profiles SELECT $1, id, $2::jsonb, $3::jsonb FROM databases", id_, json.dumps(data), json.dumps([device])
    )
    return id_.hex()


async def test_a_mail_is_shown_as_its_reader_would_get_it(tables: Settings, profile: str) -> None:
    shown = await render(tables, 1, 8, profile, {"page": "<form>"})

    assert "Subject: Hello Юля <b>" in shown
    assert "To: ann@shop.test" in shown
    assert "--- text/plain ---\nYou came from <form>." in shown
    assert "--- text/html ---\n<p>You came from &lt;form&gt;.</p>" in shown


@pytest.mark.parametrize(("trigger", "part"), [
    (20, {"address": "+79000000001", "text": "Hello Юля <b>, your code is "}),
    (21, {"provider": "ios", "subscription_id": "device-1", "title": "Hello Юля <b>"}),
    (22, {"body": {"hello": "Юля <b>", "plan": "pro"}}),
])  # fmt: skip
async def test_a_message_is_shown_as_its_provider_would_get_it(
    tables: Settings, profile: str, trigger: int, part: dict[str, object]
) -> None:
    shown = json.loads(await render(tables, 1, trigger, profile, {}))

    assert shown["data"].items() >= part.items()


async def test_both_branches_of_a_condition_are_shown_where_they_are_asked_for(tables: Settings, profile: str) -> None:
    plain, both = [await render(tables, 1, 23, profile, {}, both=both) for both in (False, True)]

    assert "Thank you for being a pro." in plain
    assert "Have you seen" not in plain
    assert "html, line 1, column 4: {if lead.plan equal 'pro'} holds" in both
    assert "if it holds: Thank you for being a pro.\n  if not:      Have you seen what pros get?" in both
    assert "It has no conditions." in await render(tables, 1, 8, profile, {}, both=True)


@pytest.mark.promise("P-UNSUB-05")
@pytest.mark.parametrize("both", [False, True])
async def test_what_stands_for_the_link_to_unsubscribe_is_as_long_and_works_for_nobody(
    tables: Settings, pool: asyncpg.Pool, profile: str, both: bool
) -> None:
    settings = tables.model_copy(update={"public_url": "https://mail.example.com", "link_keys": [SecretStr(KEY)]})
    await pool.execute(
        "UPDATE triggers SET resource = (SELECT id FROM resources WHERE number = 24), "
        "html = '{if lead.plan equal ''pro''}{unsubscribe}{end}' WHERE number = 8"
    )
    news = {"resource_id": 24, "channel": "email", "email": "ann@shop.test"}
    await pool.execute("UPDATE profiles SET subscriptions = $1::jsonb", json.dumps([news]))
    shown = await render(settings, 1, 8, profile, {}, both=both)

    now = datetime.now(UTC)
    real = links.signed([KEY], links.Unsubscribing(1, bytes.fromhex(profile), 24, links.digest(KEY, "ann@shop.test")), now)
    found = re.findall(r"https://mail\.example\.com/u/([\w-]+)", shown)
    assert len(found) == (3 if both else 2)
    assert {len(each) for each in found} == {len(real)}
    assert {links.read([KEY], each, now) for each in found} == {None}


async def test_where_nothing_would_be_sent_it_says_why(tables: Settings, pool: asyncpg.Pool, profile: str) -> None:
    await pool.execute("""UPDATE profiles SET subscriptions = '[]'""")
    for trigger, whom, why in (
        (21, profile, "no_subscription"),
        (99, profile, "no trigger 99"),
        (8, "x", "no profile x"),
        (8, "0" * 24, "no profile"),
    ):
        with pytest.raises(CannotRun, match=why):
            await render(tables, 1, trigger, whom, {})
    await pool.execute("UPDATE triggers SET active = false")
    with pytest.raises(CannotRun, match="trigger_inactive"):
        await render(tables, 1, 8, profile, {})
