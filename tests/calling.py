"""What calls out in tests."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver

from runtime.outbound.dialing import Dialer
from runtime.outbound.posting import Poster
from runtime.outbound.reach import Reach

EVERYWHERE = Reach()


def dialer(reach: Reach = EVERYWHERE, names: AbstractResolver | None = None) -> Dialer:
    """One that trusts whom the system trusts."""
    return Dialer(reach, ssl.create_default_context(), names)


@asynccontextmanager
async def poster(reach: Reach = EVERYWHERE, names: AbstractResolver | None = None) -> AsyncIterator[Poster]:
    async with dialer(reach, names) as dialing, Poster(dialing) as found:
        yield found
