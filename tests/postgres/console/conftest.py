"""A console on tables of its own, and two who have logged in."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from profuse.console.access.rights import Rights
from schemas.settings import Settings
from tests.launching import World, new_world
from tests.visiting import Visitor, logged_in, visiting


@pytest.fixture
async def stranger(tables: Settings, tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(tables, tmp_path) as visitor:
        yield visitor


@pytest.fixture
async def operator(stranger: Visitor, tables: Settings) -> AsyncIterator[Visitor]:
    async with logged_in(stranger, tables, Rights.OPERATE, "olga") as visitor:
        yield visitor


@pytest.fixture
async def reader(stranger: Visitor, tables: Settings) -> AsyncIterator[Visitor]:
    async with logged_in(stranger, tables, Rights.READ, "rita") as visitor:
        yield visitor


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)
