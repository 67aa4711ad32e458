"""A world to fire in."""

import asyncpg
import pytest

from schemas.settings import Settings
from tests.firing import Topic
from tests.launching import World, new_world


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


@pytest.fixture
def topic() -> Topic:
    return Topic()
