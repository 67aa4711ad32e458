"""Hooks that `apply` brings to what a file says."""

import asyncpg
import pytest

from profuse.applying import BadDeclaration, apply
from schemas.settings import Settings

SECRET = "whsec_" + "a" * 32
ACCOUNT = '[[accounts]]\nid = 1\nname = "demo"\n'
HOOK = f'[[accounts.hooks]]\nname = "crm"\nurl = "https://crm.example.com"\nsecrets = ["{SECRET}"]\n'
LARGE = r'"code":"\w{1,20}"'


@pytest.mark.promise("P-APPLY-21", "P-APPLY-02")
async def test_a_hook_is_made_changed_and_retired_and_its_secret_is_never_shown(tables: Settings, pool: asyncpg.Pool) -> None:
    new = SECRET.replace("aaaa", "bbbb")
    told = [
        await apply(tables, ACCOUNT + HOOK),
        await apply(tables, ACCOUNT + HOOK),
        await apply(tables, ACCOUNT + HOOK.replace(SECRET, new) + 'events = ["send"]'),
        await apply(tables, ACCOUNT),
        await apply(tables, ACCOUNT, pruning=True),
        await apply(tables, ACCOUNT + HOOK.replace(SECRET, new)),
    ]
    row = await pool.fetchrow("SELECT secrets, events, active, paused_at FROM hooks")

    assert told == [
        ["account 1: created", "account 1, hook crm: created"],
        [],
        ["account 1, hook crm: changed secrets, events"],
        [],
        ["account 1, hook crm: deactivated"],
        ["account 1, hook crm: changed events, active"],
    ]
    assert dict(row) == {"secrets": [new], "events": None, "active": True, "paused_at": None}


@pytest.mark.promise("P-APPLY-21")
async def test_a_hook_is_its_accounts_own_and_named_once(tables: Settings, pool: asyncpg.Pool) -> None:
    with pytest.raises(BadDeclaration, match=r"accounts\[0\].hooks\[1\]: account 1, hook crm is already at accounts\[0\].hooks\[0\]"):
        await apply(tables, ACCOUNT + HOOK + HOOK)
    await apply(tables, ACCOUNT + HOOK + ACCOUNT.replace("1", "2") + HOOK)

    assert [row["account"] for row in await pool.fetch("SELECT account FROM hooks ORDER BY account")] == [1, 2]


@pytest.mark.promise("P-APPLY-22", "P-APPLY-02", "P-HOOK-14")
async def test_a_pattern_that_is_too_large_for_a_new_one_keeps_no_hook_from_being_stopped(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, ACCOUNT + HOOK)
    await pool.execute("UPDATE hooks SET success = $1", LARGE)
    file = f"{ACCOUNT}{HOOK}success = '{LARGE}'\n"
    told: list[str] = []

    assert await apply(tables, file, tell=told.append) == []
    assert told == [
        "account 1, hook crm: its `success` is too large for a new one, and searched for in the first 256 bytes of an answer"
        " instead of 4,096: shorten it"
    ]
    assert await apply(tables, file + "active = false") == ["account 1, hook crm: deactivated"]
    with pytest.raises(BadDeclaration, match=r"^accounts\[0\]\.hooks\[0\]\.success: is too large"):
        await apply(tables, file.replace("code", "mode"))
    with pytest.raises(BadDeclaration, match=r"^accounts\[0\]\.hooks\[1\]\.success: is too large"):
        await apply(tables, file + (HOOK + f"success = '{LARGE}'").replace("crm", "erp"))


async def test_a_pattern_of_today_is_not_told_of(tables: Settings) -> None:
    told: list[str] = []
    await apply(tables, ACCOUNT + HOOK + "success = 'ok'", tell=told.append)

    assert told == ["account 1: created", "account 1, hook crm: created"]
