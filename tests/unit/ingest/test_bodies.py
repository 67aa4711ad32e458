"""Bodies are measured while they arrive."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from ingest.admission.budget import Budget, NoRoom, Share
from ingest.http import bodies
from ingest.request_errors import Refused
from schemas.settings import Settings

SETTINGS = Settings(body_limit=100, attach_body_limit=300)
ATTACH = b'{"attach": "'


async def chunks(body: bytes, size: int = 7) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


async def read(body: bytes, *, gzipped: bool = False) -> bytearray:
    return await bodies.read(chunks(body), gzipped=gzipped, settings=SETTINGS, share=Share(Budget(1_000)))


@pytest.mark.promise("P-HTTP-11", "P-HTTP-12")
@pytest.mark.parametrize("body", [b"", b"x" * 100, ATTACH.ljust(300, b"x"), b"x" * 91 + b'"attach"'.ljust(9)])
@pytest.mark.parametrize("gzipped", [False, True])
async def test_a_body_within_its_limit_is_read(body: bytes, gzipped: bool) -> None:
    assert await read(gzip.compress(body) if gzipped else body, gzipped=gzipped) == body


@pytest.mark.promise("P-HTTP-11", "P-HTTP-12")
@pytest.mark.parametrize("body", [b"x" * 101, ATTACH.ljust(301, b"x"), b"x" * 100 + ATTACH])
@pytest.mark.parametrize("gzipped", [False, True])
async def test_a_body_over_its_limit_is_refused(body: bytes, gzipped: bool) -> None:
    with pytest.raises(Refused) as refused:
        await read(gzip.compress(body) if gzipped else body, gzipped=gzipped)

    assert refused.value.debug == "http: request body too large"


async def test_several_gzip_members_are_one_body() -> None:
    assert await read(gzip.compress(b"one ") + gzip.compress(b"two"), gzipped=True) == b"one two"


# Named, because a gzip holds the second in which it was made.
@pytest.mark.parametrize(
    "compressed",
    [b"", b"plain", gzip.compress(b"x" * 50)[:-9], gzip.compress(b"x") + b"junk", zlib.compress(b"x")],
    ids=["nothing", "plain", "cut off", "junk behind", "zlib"],
)
async def test_what_is_no_gzip_is_refused(compressed: bytes) -> None:
    with pytest.raises(Refused, match="Invalid request"):
        await read(compressed, gzipped=True)


@pytest.mark.promise("P-HTTP-11")
async def test_only_as_much_is_unpacked_as_is_allowed() -> None:
    taken = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        async for chunk in chunks(gzip.compress(b" " * 10_000_000), 1_000):
            taken += 1
            yield chunk

    with pytest.raises(Refused):
        await bodies.read(counted(), gzipped=True, settings=SETTINGS, share=Share(Budget(1_000)))

    assert taken == 1


@pytest.mark.promise("P-HTTP-37")
async def test_what_has_come_buys_no_time_to_say_nothing() -> None:
    settings = Settings(client_patience=timedelta(seconds=0.1))

    async def stalled() -> AsyncIterator[bytes]:
        yield gzip.compress(b" " * 5_000_000)[:-1]
        await asyncio.Future()

    async with asyncio.timeout(10):
        with pytest.raises(Refused) as refused:
            await bodies.read(stalled(), gzipped=True, settings=settings, share=Share(Budget(1_000)))
    assert refused.value.debug == "the body comes too slowly"


async def test_a_client_is_not_hurried_while_we_are_slow() -> None:
    settings, budget = Settings(client_patience=timedelta(seconds=0.1)), Budget(1_000)
    share, other = Share(budget), Share(budget)
    await other.grow(900)
    asyncio.get_running_loop().call_later(0.5, other.release)

    body = await bodies.read(chunks(b"x" * 200, 100), gzipped=False, settings=settings, share=share)
    assert len(body) == 200


@pytest.mark.promise("P-HTTP-11", "P-HTTP-37")
async def test_gzip_parts_that_unpack_to_nothing_are_counted() -> None:
    with pytest.raises(Refused) as refused:
        await read(gzip.compress(b"") * 16, gzipped=True)

    assert refused.value.debug == "http: request body too large"


@pytest.mark.promise("P-OPS-17")
async def test_bytes_are_reserved_as_they_are_unpacked() -> None:
    settings = Settings(body_limit=1_000_000)
    budget = Budget(1_000_000)
    other, share = Share(budget), Share(budget)
    await other.grow(500_000)
    with pytest.raises(NoRoom):
        await bodies.read(chunks(gzip.compress(b" " * 900_000)), gzipped=True, settings=settings, share=share)
    held = share.size
    other.release()
    share.release()
    body = await bodies.read(chunks(gzip.compress(b" " * 900_000)), gzipped=True, settings=settings, share=share)

    assert 400_000 < held <= 500_000
    assert share.size == len(body) == 900_000
