"""Hooks that `apply` brings to what a file says."""

import asyncpg
import pytest

from profuse.applying import BadDeclaration, apply
from schemas.settings import Settings

SECRET = "whsec_" + "a" * 32
ACCOUNT = '[[accounts]]\nid = 1\nname = "demo"\n'
HOOK = f'[[accounts.hooks]]\nname = "crm"\nurl = "https://crm.example.com"\nsecrets = ["{SECRET}"]\n'


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
