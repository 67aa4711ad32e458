"""Work that is cut off when something else happens first."""

import asyncio

import pytest

from runtime.racing import unless

pytestmark = pytest.mark.promise("P-LAUNCH-33")


async def hang() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise LookupError


async def test_work_that_is_done_first_returns_what_it_found() -> None:
    assert await unless(hang(), asyncio.sleep(0, "found")) == "found"


async def test_what_goes_wrong_beside_the_work_is_told_and_ends_it() -> None:
    with pytest.raises(LookupError):
        await unless(fail(), hang())
