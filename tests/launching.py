"""What launcher tests are made of: values with defaults, a seeded account, and a channel that remembers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from schemas.events import ProfileEvent
from schemas.ids import TriggerId, new_id
from schemas.messages import ProfilesMatched, TriggerStart
from workers.launcher.channels.channel import SERVER, Channel, Route
from workers.launcher.channels.email import enclosing
from workers.launcher.channels.slots import Slot, Slots
from workers.launcher.deliver.paces import Paces
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.deliver.sending import Sending
from workers.launcher.events import Imported, imports, md5
from workers.launcher.groups.group import Group
from workers.launcher.model import Campaign, Launch, Profile, Provider, Recipient

NOBODY = b"\x07" * 12


def campaign(**changes: Any) -> Campaign:
    values: dict[str, Any] = {
        "account": 1,
        "database": 3,
        "trigger": 8,
        "active": True,
        "channel": "email",
        "resource": None,
        "unconditional_sending": False,
        "sender": "Demo <demo@example.com>",
        "subject": "Hello",
        "html": "<p>Hello</p>",
        "accepted_at": datetime(2026, 1, 1, tzinfo=UTC),
        "content": {},
        "custom_data": {},
    }
    return Campaign(**values | changes)


def of_import(imported: Imported, accepted_at: datetime) -> ProfileEvent:
    """That it was imported, as a launcher tells it."""
    told = imports(imported.account, imported.database, imported.batch, accepted_at)
    return told(imported.item, imported.profile.hex(), md5(imported.email), imported.custom_data)


def profile(subscriptions: Sequence[dict[str, Any]] = (), **data: Any) -> Profile:
    return Profile(NOBODY, data, tuple(subscriptions))


def subscription(email: str, **changes: Any) -> dict[str, Any]:
    return {"resource_id": 24, "channel": "email", "email": email, "status": "subscribed", "priority": 0} | changes


def launch(address: str = "ann@example.com", lead: dict[str, Any] | None = None, **changes: Any) -> Launch:
    return Launch("1a2b", campaign(**changes), Profile(NOBODY, lead or {}), Recipient(address), {})


async def no_more(_: asyncio.Event) -> list[Page]:
    """There is but one page."""
    return []


@dataclass(frozen=True)
class File:
    name: str = "Attach.txt"
    mimetype: str = "text/csv"
    data: bytes = b"HELLO\n"


def enclosed(*files: File) -> tuple[bytes, ...]:
    """Files as a campaign has them."""
    return (*(part for each in files for part in (enclosing.head(each.name, each.mimetype), enclosing.encoded(each.data))), enclosing.END)


def claimed(size: int = 1, done: asyncpg.BitString | None = None, *, first: int = 0, trigger: int = 1, account: int = 1) -> Group:
    """A group that was claimed for the first time, with items from `first` on."""
    items, profiles = list(range(first, first + size)), [NOBODY] * size
    settled = asyncpg.BitString("0" * size) if done is None else done
    named = b"\x0a" * 12, TriggerId(trigger), 0, first
    return Group(*named, 1, account, 0, items, profiles, settled, None, 1, 0, None, None, 0, 0, 0.0, None)


def matched(batch: bytes, profiles: dict[int, bytes], starts: Sequence[TriggerStart]) -> ProfilesMatched:
    """A message for these items and their profiles."""
    ids = b"".join(profiles.values()).hex()
    return ProfilesMatched(batch=batch.hex(), chunk=min(profiles), items=list(profiles), profiles=ids, starts=list(starts))


@dataclass
class World:
    """An account with a database, a resource and a trigger, in the test's schema."""

    pool: asyncpg.Pool
    database: int
    trigger: TriggerId

    async def trigger_of(self, number: int, **changes: Any) -> TriggerId:
        """Another trigger of the same database."""
        values: dict[str, Any] = {
            "active": True,
            "resource": None,
            "skip_minutes": 0,
            "subject": "Hello {lead._fname}",
            "html": "<p>Hi</p>",
        }
        values |= changes
        return TriggerId(
            await self.pool.fetchval(
                """
                INSERT INTO triggers (account, number, name, type, database, channel, active, resource, unconditional_sending, skip_minutes,
                                      sender, subject, html)
                VALUES (1, $1, 'Welcome', 'api_call', $2, 'email', $3, $4, false, $5, 'Demo <demo@example.com>', $6, $7) RETURNING id
                """,
                number,
                self.database,
                *values.values(),
            )
        )

    async def batch(self, total: int = 1, due_in: timedelta = timedelta(), **shared: dict[str, Any]) -> bytes:
        """A batch that was accepted now."""
        batch = new_id()
        await self.pool.execute(
            """
            INSERT INTO batches (id, account, database, trigger, total, matching, skip_triggers, skip_invalid_subscriptions, detect_geo,
                                 content, custom_data, rejects, accepting_until, due_at)
            VALUES ($1, 1, $2, $3, $4, 'email', false, false, false, $5::json, $6::json, '{}', now(), now() + $7)
            """,
            batch,
            self.database,
            self.trigger,
            total,
            msgspec.json.encode(shared.get("content", {})).decode(),
            msgspec.json.encode(shared.get("custom_data", {})).decode(),
            due_in,
        )
        return batch

    async def profiles(self, *emails: str | None, subscriptions: Sequence[dict[str, Any]] = ()) -> dict[int, bytes]:
        """As many profiles, by item number."""
        ids = {item: new_id() for item in range(len(emails))}
        data = [msgspec.json.encode({"email": email} if email else {}).decode() for email in emails]
        await self.pool.execute(
            """
            INSERT INTO profiles (id, database, data, subscriptions)
            SELECT id, $2, data::jsonb, $4::jsonb FROM unnest($1::bytea[], $3::text[]) AS given (id, data)
            """,
            list(ids.values()),
            self.database,
            data,
            msgspec.json.encode(subscriptions).decode(),
        )
        return ids

    async def custom_data(self, batch: bytes, given: dict[int, dict[str, Any]]) -> None:
        """The items' own custom_data, as the matcher stores it."""
        await self.pool.execute(
            "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, '{0}', $2, '{}', $3::json)",
            batch,
            NOBODY,
            msgspec.json.encode({str(item): data for item, data in given.items()}).decode(),
        )


async def new_world(pool: asyncpg.Pool) -> World:
    await pool.execute("INSERT INTO accounts (id, name) VALUES (1, 'demo')")
    database = await pool.fetchval(
        "INSERT INTO databases (account, number, name, unknown_fields, fields) VALUES (1, 3, 'Customers', 'reject', '{}') RETURNING id"
    )
    world = World(pool, database, TriggerId(0))
    world.trigger = await world.trigger_of(8)
    return world


@dataclass
class Remembering:
    """A channel that keeps what it is given, and does with it what the test says."""

    does: Callable[[Launch], Awaitable[None]] | None = None
    sent: list[Launch] = field(default_factory=list)
    slots: Slots = field(default_factory=lambda: Slots(8))

    def ways(self, _: Campaign) -> Sequence[None]:
        return (None,)

    def at_once(self, _: Provider | None) -> int:
        return self.slots.of_one

    def slot(self, campaign: Campaign, _: Provider | None) -> AbstractAsyncContextManager[None]:
        return Slot(*self.slots.of(campaign.account))

    def route(self, launch: Launch, _: Provider | None) -> Route:
        return Route((SERVER, f"at {launch.recipient.address.partition('@')[2]}"))

    async def send(self, launch: Launch, _: Route) -> None:
        if self.does is not None:
            await self.does(launch)
        self.sent.append(launch)

    async def close(self) -> None:
        return

    def addresses(self) -> list[str]:
        return [each.recipient.address for each in self.sent]


async def handed(channel: Channel, launch: Launch) -> None:
    """To the channel, by its first way."""
    await channel.send(launch, channel.route(launch, channel.ways(launch.campaign)[0]))


def knowing(channels: Mapping[str, Channel], pool: asyncpg.Pool | None = None) -> Sending:
    """What sends through these; without a pool, only by ways that no provider takes."""
    return Sending(channels, ProviderStates(pool), Paces(pool))
