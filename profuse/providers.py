"""Providers, as an operator sees them."""

from typing import Any

from sqlalchemy import case, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.postgres import transaction
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.tables import provider_states, providers


async def listed(connection: AsyncConnection) -> list[dict[str, Any]]:
    """All of them with their state, and none of their secrets."""
    state, held = provider_states.c, provider_states.c.held_until > func.now()
    shown = case(
        (providers.c.active.is_(False), literal("inactive")),
        (state.paused_at.is_not(None), literal("paused")),
        (held, literal("held")),
        else_=literal("open"),
    )
    statement = (
        select(
            providers.c.account,
            providers.c.name,
            providers.c.channel,
            providers.c.rate,
            providers.c.concurrency,
            providers.c.timeout,
            shown.label("state"),
            func.coalesce(state.paused_at, state.held_since).label("since"),
            state.held_until.label("next_try"),
            state.why,
        )
        .outerjoin(provider_states, state.provider == providers.c.id)
        .order_by(providers.c.account, providers.c.name)
    )
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def resume(settings: Settings, name: str, account: int | None = None) -> int:
    """Forget what launchers know of it, so that they try it again; 0: there is none. Raises `CannotRun` where several accounts have one."""
    named = select(providers.c.id, providers.c.account).where(providers.c.name == name)
    if account is not None:
        named = named.where(providers.c.account == account)
    async with transaction(settings) as connection:
        found = (await connection.execute(named)).all()
        # What one account's provider said is no reason to try another's.
        if len(found) > 1:
            accounts = ", ".join(map(str, sorted(row.account for row in found)))
            raise CannotRun(f"Accounts {accounts} have a provider {name}: name one with --account.")
        await connection.execute(delete(provider_states).where(provider_states.c.provider.in_([row.id for row in found])))
    return len(found)
