"""Hooks between a real topic and a real HTTP receiver."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg
import pytest

from profuse.applying import apply
from runtime.postgres import open_pool
from runtime.producer import Publisher, open_publisher
from schemas.events import ProfileEvent
from schemas.ids import new_id
from schemas.settings import Settings
from schemas.topics import EVENTS, Outgoing, partition
from tests.kafka.conftest import until
from tests.receiving import Receiver, receiving

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def key_of(number: int, partitions: int) -> bytes:
    """A profile whose events are in this partition."""
    return next(key for key in (b"%024x" % at for at in count()) if partition(key, partitions) == number)


@dataclass
class World:
    """Declares hooks, tells of events, and waits for what comes."""

    settings: Settings
    pool: asyncpg.Pool
    publisher: Publisher
    receiver: Receiver
    hooks: dict[tuple[int, str], dict[str, Any]] = field(default_factory=dict)

    async def declare(self, name: str, account: int = 1, **values: Any) -> None:
        """By `apply`, as an operator does; what it was before stays."""
        before = self.hooks.get((account, name), {"url": self.receiver.url(name), "secrets": [SECRET]})
        self.hooks[account, name] = {**before, **values}
        await apply(self.settings, "\n".join(self._file(account) for account in {account for account, _ in self.hooks}))

    def _file(self, account: int) -> str:
        parts = [f'[[accounts]]\nid = {account}\nname = "any"']
        for (owner, name), values in self.hooks.items():
            if owner == account:
                parts += ["[[accounts.hooks]]", f'name = "{name}"', *(f"{key} = {_toml(value)}" for key, value in values.items())]
        return "\n".join(parts)

    async def tell(self, items: Iterable[int], account: int = 1, kind: str = "send", at: int = 0, **more: Any) -> None:
        """Events of these items, in one partition."""
        key = key_of(at, self.settings.partitions)
        await self.put([event(item, account, kind, key, **more) for item in items], at)

    async def put(self, values: Iterable[bytes], at: int = 0) -> None:
        key = key_of(at, self.settings.partitions)
        await self.publisher.publish([Outgoing(self.settings.topic(EVENTS.name), key, value) for value in values])

    async def until_taken(self, name: str, items: Iterable[int], seconds: float = 30) -> None:
        wanted = list(items)

        async def are_there() -> bool:
            return len(self.receiver.items(name)) >= len(wanted)

        await until(are_there, seconds)
        assert self.receiver.items(name) == wanted

    async def until_posted(self, name: str, times: int, seconds: float = 30) -> None:
        async def were() -> bool:
            return len(self.receiver.got[name]) >= times

        await until(were, seconds)

    async def until_moved(self, name: str, at: int, position: int) -> None:
        async def has() -> bool:
            return await self.position(name, at) == position

        await until(has)

    async def until_so(self, sql: str, *values: object) -> None:
        """Until a query finds something true."""

        async def is_so() -> bool:
            return bool(await self.pool.fetchval(sql, *values))

        await until(is_so)

    async def until_begun(self, name: str, times: int = 1) -> None:
        """Until a process has taken the hook's places so often; whoever was there before has ended."""
        sql = "SELECT min(fence) FROM hook_positions JOIN hooks ON hooks.id = hook WHERE name = $1 HAVING min(fence) >= $2 - 1"
        await self.until_so(f"SELECT EXISTS ({sql})", name, times)

    async def position(self, name: str, at: int = 0) -> int | None:
        sql = "SELECT position FROM hook_positions JOIN hooks ON hooks.id = hook WHERE name = $1 AND partition = $2"
        found: int | None = await self.pool.fetchval(sql, name, at)
        return found


def event(item: int, account: int = 1, kind: str = "send", key: bytes = b"0" * 24, **more: Any) -> bytes:
    return ProfileEvent(
        event_id=new_id().hex(),
        event_type=kind,
        event_date="2025-01-02T03:04:05+00:00",
        profile_id=key.decode(),
        list_id=1,
        account_id=account,
        custom_data=more,
        event_data={"batch_id": "", "item": item},
    ).encode()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return f"'{value}'" if isinstance(value, str) else str(value)


@pytest.fixture
async def world(migrated: Settings) -> AsyncIterator[World]:
    async with await open_pool(migrated) as pool, open_publisher(migrated) as publisher, receiving() as receiver:
        yield World(migrated, pool, publisher, receiver)
