"""Connections of clients between two requests."""

import asyncio
from datetime import timedelta

import pytest

from schemas.settings import Settings
from tests.kafka.gateway.running import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.promise("P-HTTP-41")]

_ASKED = b"GET /nothing HTTP/1.1\r\nHost: gateway\r\n\r\n"


async def test_an_idle_connection_is_kept_as_long_as_the_setting_says(configured: Settings) -> None:
    async with running(configured.model_copy(update={"keep_alive": timedelta(seconds=1)})) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(world.gateway.url.rpartition(":")[2]))
        writer.write(_ASKED)
        # Less than the server would keep it by itself.
        async with asyncio.timeout(4):
            answered = await reader.read()
        writer.close()

    assert answered.startswith(b"HTTP/1.1 404")


async def test_it_is_longer_than_a_load_balancers_own() -> None:
    assert Settings().keep_alive > timedelta(seconds=60)
