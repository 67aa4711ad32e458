"""What a body costs before its token is known."""

import asyncio
import time
import tracemalloc

import pytest

from ingest.admission.budget import Budget, Share
from ingest.http import spans
from ingest.request_errors import Refused
from schemas.settings import MIB, Settings

SETTINGS = Settings()
NAMES = ("token", "data", "attach", "content")


def zeros(name: str, size: int) -> bytes:
    return b'{"token":"nobody","%s":[%s0]}' % (name.encode(), b"0," * (size // 2 - 50))


async def opened(body: bytes) -> int:
    """The most bytes that were held beside the body."""
    tracemalloc.start()
    try:
        await spans.opened(body, NAMES, SETTINGS, Share(Budget(1)))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.promise("P-OPS-17", "P-HTTP-40")
@pytest.mark.parametrize("body", [zeros("data", 10 * MIB), zeros("content", 10 * MIB), b"{%s}" % b",".join([b'"a":{}'] * MIB)])
async def test_nothing_of_a_body_is_built_before_its_token_is_known(body: bytes) -> None:
    assert await opened(body) < 2 * MIB


@pytest.mark.promise("P-HTTP-40")
async def test_others_get_their_turn_while_a_body_is_looked_at() -> None:
    pauses: list[float] = []

    async def tick() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            pauses.append(time.thread_time() - began)

    ticking = asyncio.create_task(tick())
    await opened(zeros("data", 10 * MIB))
    ticking.cancel()

    assert len(pauses) > 30


@pytest.mark.promise("P-OPS-17")
async def test_more_values_than_there_can_be_beside_files_are_too_large() -> None:
    with pytest.raises(Refused, match="Invalid request") as refused:
        await opened(zeros("attach", 22 * MIB))

    assert refused.value.debug == "http: request body too large"


@pytest.mark.promise("P-HTTP-40", "P-HTTP-12")
async def test_a_name_is_not_built_that_is_longer_than_there_is_room_beside_files() -> None:
    body = '{"attach":1,"{}\U0001f600":1}'.replace("{}", "k" * 20 * MIB).encode()
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        await spans.opened(body, NAMES, SETTINGS, Share(Budget(1)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.debug == "http: request body too large"
    assert peak < MIB


@pytest.mark.promise("P-HTTP-15")
async def test_items_are_counted_before_they_are_built() -> None:
    root = await spans.opened(zeros("data", 10 * MIB), NAMES, SETTINGS, Share(Budget(1)))
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        await spans.items(root, SETTINGS, Share(Budget(1)), one=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.debug == "data: more than 100000 items"
    # A copy to search in: 100,000 items would be far more than what else a process of tests lets go and takes.
    assert peak < 12 * MIB
