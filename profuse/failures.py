"""Failed launches from the operator's side."""

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import datetime
from typing import Any

import asyncpg

from profuse.postgres import plain_connection
from runtime.errors import CannotRun
from schemas.ids import parse_id
from schemas.settings import Settings
from store import failures
from store.failures import Wanted

ALL = Wanted()
COLUMNS = ("batch", "account", "trigger", "item", "profile", "run", "failed_at", "reason")


def wanted(batch: str | None, account: int | None, trigger: int | None, reason: str | None, until: datetime | None = None) -> Wanted:
    """What the options say; raises `CannotRun` for an id that is none, and for a reason that says nothing."""
    id_ = None if batch is None else parse_id(batch)
    if batch is not None and id_ is None:
        raise CannotRun(f"{batch} is no batch id, which is 24 hex digits: `profuse launches failed` shows them.")
    # A variable of a script that is empty must not choose everything.
    if reason == "":
        raise CannotRun("An empty reason says nothing: `profuse launches failed` shows those that there are.")
    return Wanted(id_, account, trigger, reason, until)


async def listed(settings: Settings, wanted: Wanted, limit: int) -> list[dict[str, Any]]:
    async with plain_connection(settings) as connection:
        return [dict(row) for row in await failures.listed(connection, wanted, limit)]


async def count(settings: Settings, wanted: Wanted, most: int | None = None, pool: asyncpg.Pool | None = None) -> int:
    """By a connection of `pool`, if there is one."""
    async with plain_connection(settings, pool) as connection:
        return await failures.count(connection, wanted, most)


async def replay(settings: Settings, wanted: Wanted, advance: Callable[[int], object] = int) -> int:
    """How many; those that fail again meanwhile are not met again."""
    total = 0
    async with plain_connection(settings) as connection:
        wanted = changed(wanted, until=wanted.until or await connection.fetchval("SELECT now()"))
        page = None
        # Where the last one ended, or each would read again what the pages before it left.
        while page := await failures.run_again(connection, wanted, page):
            total += page.launches
            advance(page.launches)
    return total
