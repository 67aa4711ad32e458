"""Whether a process answers, judged from outside, by the scheme of its address."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import asyncpg
import httpx2
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from profuse.plain_http import plain_client

_PATIENCE = 2.0


async def is_ready(url: str) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await _CHECKS[urlsplit(url).scheme](url)
    except (OSError, TimeoutError):
        return False


async def until_ready(url: str, has_ended: Callable[[], bool] = lambda: False) -> bool:
    """False once there is nobody left to wait for."""
    while not await is_ready(url):
        if has_ended():
            return False
        await asyncio.sleep(0.1)
    return True


async def _listens(url: str) -> bool:
    address = urlsplit(url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.close()
    await writer.wait_closed()
    return True


async def _kafka_answers(url: str) -> bool:
    await _listens(url)
    admin = AIOKafkaAdminClient(bootstrap_servers=urlsplit(url).netloc)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except KafkaError:
        return False
    finally:
        await admin.close()


async def _postgres_answers(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url)
    except asyncpg.PostgresError:
        return False
    await connection.close()
    return True


async def _room_is_ready(url: str) -> bool:
    async with plain_client() as client:
        try:
            return (await client.get(f"{url}/readyz")).is_success
        except httpx2.HTTPError:
            return False


_CHECKS: dict[str, Callable[[str], Awaitable[bool]]] = {
    "kafka": _kafka_answers,
    "postgresql": _postgres_answers,
    "smtp": _listens,
    "http": _room_is_ready,
}
