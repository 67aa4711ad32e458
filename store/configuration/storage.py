"""The tables that `profuse apply` writes."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, case, delete, func, insert, null, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.channels import MESSAGE
from schemas.tables import accounts, databases, hooks, provider_states, providers, resources, tokens, triggers
from store.configuration import refilings
from store.configuration.model import Change, Key, Kind, Stored, Values

_TABLES: Mapping[Kind, Table] = {
    Kind.ACCOUNT: accounts,
    Kind.TOKEN: tokens,
    Kind.DATABASE: databases,
    Kind.RESOURCE: resources,
    Kind.PROVIDER: providers,
    Kind.TRIGGER: triggers,
    Kind.HOOK: hooks,
}
# Of a trigger, what no other thing is asked by.
_ITS_OWN = ("name", "fields", *MESSAGE)


async def wait_for_turn(connection: AsyncConnection, prefix: str) -> None:
    """Until the transaction ends nobody else applies: two plans made from the same rows would both be carried out."""
    await connection.execute(text("SET LOCAL lock_timeout = '20s'"))
    await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"apply {prefix}", 0))))


async def load(
    connection: AsyncConnection, account_ids: Iterable[int], hashes: Iterable[bytes], *, whole: Collection[int] | None = None
) -> Stored:
    """`whole`: the numbers of the triggers whose messages are wanted, if not all: there may be thousands, of megabytes each."""
    ids = list(account_ids)
    things: dict[Key, Values] = {}
    for kind, statement in _selects(ids, whole).items():
        things |= {Key(kind, row["account"], row["id"]): row for row in (await connection.execute(statement)).mappings()}
    held = await connection.execute(select(tokens.c.hash, tokens.c.account, tokens.c.name).where(tokens.c.hash.in_(list(hashes))))
    populated = await connection.execute(
        select(databases.c.id, databases.c.account, databases.c.number).where(databases.c.account.in_(ids), refilings.has_profiles())
    )
    return Stored(
        things,
        {row.hash: Key(Kind.TOKEN, row.account, row.name) for row in held},
        {Key(Kind.DATABASE, row.account, row.number): row.id for row in populated},
    )


def _selects(ids: list[int], whole: Collection[int] | None) -> dict[Kind, Select[Any]]:
    """Each thing's columns, with the account's own numbers for what it refers to."""
    database, resource = databases.c.number.label("database"), resources.c.number.label("resource")
    return {
        Kind.ACCOUNT: select(accounts, accounts.c.id.label("account")).where(accounts.c.id.in_(ids)),
        Kind.TOKEN: select(*_columns(tokens), tokens.c.name.label("id")).where(tokens.c.account.in_(ids)),
        Kind.DATABASE: select(*_columns(databases), databases.c.number.label("id")).where(databases.c.account.in_(ids)),
        Kind.RESOURCE: select(*_columns(resources, "database"), resources.c.number.label("id"), database)
        .join(databases, resources.c.database == databases.c.id)
        .where(resources.c.account.in_(ids)),
        Kind.PROVIDER: select(*_columns(providers), providers.c.name.label("id")).where(providers.c.account.in_(ids)),
        Kind.TRIGGER: select(*_of_triggers(whole), triggers.c.number.label("id"), database, resource)
        .join(databases, triggers.c.database == databases.c.id)
        .outerjoin(resources, triggers.c.resource == resources.c.id)
        .where(triggers.c.account.in_(ids)),
        Kind.HOOK: select(*_columns(hooks), hooks.c.name.label("id")).where(hooks.c.account.in_(ids)),
    }


def _of_triggers(whole: Collection[int] | None) -> Iterator[ColumnElement[Any]]:
    for column in _columns(triggers, "database", "resource"):
        if whole is None or column.name not in _ITS_OWN:
            yield column
        else:
            yield case((triggers.c.number.in_(whole), column), else_=null()).label(column.name)


def _columns(table: Table, *references: str) -> Iterator[ColumnElement[Any]]:
    return (column for column in table.c if column.name not in ("id", *references))


async def write(connection: AsyncConnection, change: Change) -> None:
    table, key = _TABLES[change.key.kind], _key_columns(change.key)
    values = {name: _reference(change.key, name, value) for name, value in change.values.items()}
    if change.is_new:
        await connection.execute(insert(table).values({**key, **values}))
    else:
        await connection.execute(update(table).where(*_is(table, key)).values(values))
    if change.key.kind is Kind.PROVIDER:
        # What launchers knew of it they knew of another one.
        await connection.execute(delete(provider_states).where(provider_states.c.provider.in_(select(table.c.id).where(*_is(table, key)))))
    if change.indexed:
        await refilings.begin(connection, change)


def _is(table: Table, key: Mapping[str, int | str]) -> Iterator[ColumnElement[bool]]:
    return (table.c[name] == value for name, value in key.items())


def _key_columns(key: Key) -> dict[str, int | str]:
    match key.kind:
        case Kind.ACCOUNT:
            return {"id": key.id}
        case Kind.TOKEN | Kind.PROVIDER | Kind.HOOK:
            return {"account": key.account, "name": key.id}
        case _:
            return {"account": key.account, "number": key.id}


def _reference(key: Key, name: str, value: Any) -> Any:
    """The internal id behind an account's own number."""
    table = {"database": databases, "resource": resources}.get(name)
    if table is None or value is None:
        return value
    return select(table.c.id).where(table.c.account == key.account, table.c.number == value).scalar_subquery()
