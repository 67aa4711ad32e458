"""Launches taken back from the operator's side, as the API does it, in any account."""

from dataclasses import dataclass

import asyncpg

from ingest.sql import cancellable
from profuse.postgres import plain_connection
from runtime.errors import CannotRun
from schemas.ids import TriggerNumber, parse_id
from schemas.settings import Settings
from store import cancelling
from store.cancelling import Cancelled, Foreseen, Which


@dataclass(frozen=True)
class Named:
    """Exactly one of them, and whose it is unless it is a batch."""

    account: int | None
    batch: bytes | None = None
    trigger: int | None = None
    profile: bytes | None = None


def named(account: int | None, batch: str | None, trigger: int | None, profile: str | None) -> Named:
    """Raises `CannotRun` where the options do not say exactly one thing."""
    if sum(each is not None for each in (batch, trigger, profile)) != 1:
        raise CannotRun("Which launches? Name a batch, or --account with one of --trigger and --profile.")
    if batch is None and account is None:
        raise CannotRun("Whose? Say --account.")
    return Named(account, _id("batch", batch), trigger, _id("profile", profile))


async def cancel(settings: Settings, named: Named) -> Cancelled:
    """Raises `CannotRun` if there is no such thing."""
    async with plain_connection(settings) as connection:
        return await cancelling.cancel(connection, await _which(connection, named))


async def foresee(connection: asyncpg.Connection, named: Named, most: int) -> Foreseen:
    """What that would take back, of which no more than `most` groups are looked at; raises `CannotRun` if there is no such thing."""
    return await cancelling.foresee(connection, await _which(connection, named), most)


async def _which(connection: asyncpg.Connection, named: Named) -> Which:
    found = await _found(connection, named)
    if found is None:
        raise CannotRun("There is no such batch, trigger or profile: `profuse launches list` shows batches with their accounts.")
    return found


async def _found(connection: asyncpg.Connection, named: Named) -> Which | None:
    if named.batch is not None:
        account = await connection.fetchval("SELECT account FROM batches WHERE id = $1", named.batch)
        return None if account is None else Which(account, batch=named.batch)
    account = named.account or 0
    if named.trigger is not None:
        trigger = await cancellable.trigger(connection, account, TriggerNumber(named.trigger))
        return None if trigger is None else Which(account, trigger=trigger)
    if named.profile is None or not await cancellable.profile(connection, account, named.profile):
        return None
    return Which(account, profile=named.profile)


def _id(what: str, shown: str | None) -> bytes | None:
    if shown is None:
        return None
    found = parse_id(shown)
    if found is None:
        raise CannotRun(f"{shown} is no {what} id, which is 24 hex digits.")
    return found
