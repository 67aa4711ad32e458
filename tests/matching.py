"""A database of profiles to import into, and the matcher's transaction without a broker."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec

from schemas.addresses import normal_email, normal_phone
from schemas.fields import Field, MatchValue, match_value
from schemas.ids import SIZE, TriggerId, new_id, unpack
from schemas.messages import ProfileImport, ProfilesMatched
from schemas.topics import Outgoing
from workers.exactly_once import Conflict, Unprocessable
from workers.matcher.change import Locate
from workers.matcher.item import Item, Outcome
from workers.matcher.room import Importing

Json = dict[str, Any]

FIELDS: Json = {
    "crm": {"type": "string", "match": True},
    "number": {"type": "int", "match": True},
    "since": {"type": "date", "match": True},
    "interests": {"type": "tags", "match": True},
    "plan": {"type": "enum", "options": ["free", "pro"], "match": True},
    "settings": "object",
    "orders": "arr_object",
    "ratio": "float",
}
# Of a file for `apply` that goes on with the database's fields.
HEAD = '[[accounts]]\nid = 1\nname = "demo"\n[[accounts.databases]]\nid = 1\nname = "Customers"\nunknown_fields = "keep"\n'
RESOURCES = {24: "email", 25: "sms", 26: "email", 27: "push", 30: "telegram_bot", 31: "viber", 32: "our_app"}


def nowhere(address: str) -> dict[str, str]:
    return {}


@dataclass
class World:
    """One account, one database, and a campaign that batches start."""

    pool: asyncpg.Pool
    database: int
    trigger: TriggerId
    resources: Mapping[int, int]
    locate: Locate = nowhere
    fields: Json = field(default_factory=lambda: FIELDS)
    # How often those who wait were told to look.
    told: int = 0
    room: Importing = field(init=False)

    def __post_init__(self) -> None:
        self.room = Importing(self.pool, "matches", self.locate, self._tell)

    async def _tell(self) -> None:
        self.told += 1

    async def trigger_of(self, type_: str, *, active: bool = True, fields: list[str] | None = None) -> TriggerId:
        """Another campaign of the database."""
        return await _trigger(self.pool, self.database, type_, active, fields)

    async def batch(self, total: int, matching: str = "email", **settings: Any) -> bytes:
        """A batch's rows, as the gateway writes them."""
        batch = new_id()
        row: Json = {
            "id": batch,
            "account": 1,
            "database": self.database,
            "trigger": self.trigger,
            "total": total,
            "matching": matching,
            "field_name": None,
            "resource": None,
            "skip_triggers": False,
            "skip_invalid_subscriptions": False,
            "detect_geo": False,
        } | settings
        columns = ", ".join(row)
        places = ", ".join(f"${at}" for at in range(1, len(row) + 1))
        await self.pool.execute(
            f"INSERT INTO batches ({columns}, content, custom_data, rejects, accepting_until, due_at) "  # noqa: S608
            f"VALUES ({places}, '{{}}', '{{}}', '{{}}', now(), now())",
            *row.values(),
        )
        bits = asyncpg.BitString.frombytes(bytes((total + 7) // 8), bitlength=total)
        await self.pool.execute("INSERT INTO batch_progress (batch, total, done) VALUES ($1, $2, $3)", batch, total, bits)
        return batch

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.pool.acquire() as connection, connection.transaction():
            # On a busy machine a test may hold a lock for longer than a worker may.
            await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = 0")
            yield connection

    async def apply(self, messages: Sequence[ProfileImport]) -> list[ProfilesMatched]:
        """The messages' effects, committed; started again after a surprise."""
        while True:
            prepared = await self._prepared(messages)
            try:
                async with self.transaction() as connection:
                    outgoing = await self.room.apply(connection, prepared, [])
            except Conflict:
                continue
            return [ProfilesMatched.decode(record.value) for record in outgoing]

    async def apply_in(self, connection: asyncpg.Connection, messages: Sequence[ProfileImport]) -> list[Outgoing]:
        """What the engine does with a chunk of messages that can be processed."""
        return await self.room.apply(connection, await self._prepared(messages), [])

    async def _prepared(self, messages: Sequence[ProfileImport]) -> list[Item | Outcome]:
        prepared = [each async for each in self.room.prepare(messages)]
        return [each for each in prepared if not isinstance(each, Unprocessable)]

    async def bring(self, items: Sequence[Json], matching: str = "email", **settings: Any) -> list[Json]:
        """Import the items as one batch and one chunk; returns their entries. An item is its match value and its data."""
        messages = await self.messages(items, matching, **settings)
        await self.apply(messages)
        return await self.entries(bytes.fromhex(messages[0].batch))

    async def messages(self, items: Sequence[Json], matching: str = "email", **settings: Any) -> list[ProfileImport]:
        batch = await self.batch(len(items), matching, **settings)
        return [
            ProfileImport(
                batch=batch.hex(),
                item=number,
                value=_spelled(item, matching, settings.get("field_name"), self.fields),
                data=item["data"],
                custom_data=item.get("custom_data"),
            )
            for number, item in enumerate(items)
        ]

    async def entries(self, batch: bytes) -> list[Json]:
        """The entries of `result`, in order."""
        rows = await self.pool.fetch("SELECT items, profiles, errors::text FROM results WHERE batch = $1", batch)
        found: dict[int, Json] = {}
        for row in rows:
            errors = msgspec.json.decode(row["errors"])
            for item, profile in zip(row["items"], unpack(row["profiles"]), strict=True):
                found[item] = errors.get(str(item)) or {"profile_id": profile.hex()}
                assert (profile == bytes(SIZE)) == (str(item) in errors)
        return [found[item] for item in sorted(found)]

    async def profiles(self) -> list[Json]:
        """All profiles, in no order that a test may build on."""
        rows = await self.pool.fetch("SELECT id, data::text, subscriptions::text FROM profiles ORDER BY id")
        decode = msgspec.json.decode
        return [{"_id": row["id"].hex(), **decode(row["data"]), "subscriptions": decode(row["subscriptions"])} for row in rows]

    async def profile(self, entry: Json) -> Json:
        (found,) = [profile for profile in await self.profiles() if profile["_id"] == entry["profile_id"]]
        return found


def item(value: str | int | list[str] | dict[str, str] | None = None, custom_data: Any = None, **data: Any) -> Json:
    """An item by its match value, which is the e-mail of its data if it is not given."""
    return {"value": data.get("email") if value is None else value, "data": data, "custom_data": custom_data}


def subscription(resource: int, **keys: Any) -> Json:
    return {"resource_id": resource, **keys}


def _spelled(item: Json, matching: str, field_name: str | None, fields: Json) -> MatchValue:
    match matching:
        case "phone" | "phone_sub":
            return normal_phone(item["value"])
        case "email_phone" | "email_phone_sub" | "push_sub":
            return dict(item["value"])
        case "custom":
            return match_value(Field.model_validate(fields[str(field_name)]), item["value"])
        case "profile_id" | "custom_sub":
            return str(item["value"])
    return normal_email(item["value"])


async def new_world(pool: asyncpg.Pool, locate: Locate = nowhere, unknown_fields: str = "reject") -> World:
    await pool.execute("INSERT INTO accounts (id, name) VALUES (1, 'demo')")
    database = await pool.fetchval(
        "INSERT INTO databases (account, number, name, unknown_fields, fields) VALUES (1, 1, 'Customers', $1, $2) RETURNING id",
        unknown_fields,
        msgspec.json.encode(FIELDS).decode(),
    )
    resources = {
        number: await pool.fetchval(
            "INSERT INTO resources (account, number, name, channel, database) VALUES (1, $1, 'any', $2, $3) RETURNING id",
            number,
            channel,
            database,
        )
        for number, channel in RESOURCES.items()
    }
    return World(pool, database, await _trigger(pool, database, "api_call", True, None), resources, locate)


async def _trigger(pool: asyncpg.Pool, database: int, type_: str, active: bool, fields: list[str] | None) -> TriggerId:
    trigger: TriggerId = await pool.fetchval(
        """
        INSERT INTO triggers (account, number, name, type, database, channel, active, unconditional_sending,
                              skip_minutes, sender, subject, html, fields)
        VALUES (1, (SELECT count(*) FROM triggers), 'any', $2, $1, 'email', $3, false, 0, 'a@b.test', '', '', $4) RETURNING id
        """,
        database,
        type_,
        active,
        fields,
    )
    return trigger
