"""What calls out in tests."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver

from runtime.outbound.dialing import Dialer
from runtime.outbound.posting import Poster
from runtime.outbound.reach import Reach

EVERYWHERE = Reach()


@asynccontextmanager
async def poster(reach: Reach = EVERYWHERE, names: AbstractResolver | None = None) -> AsyncIterator[Poster]:
    """One that trusts whom the system trusts."""
    async with Dialer(reach, names) as dialer, Poster(dialer, ssl.create_default_context()) as found:
        yield found
