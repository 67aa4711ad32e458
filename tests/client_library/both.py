"""Both clients behind one call, so that each test holds for both."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any

from profuse_client import AsyncClient, Client, Failed, Imported, Options
from tests.client_library.server import TOKEN

Result = Imported | Failed
# Gets the server's address, profiles and what else `import_and_start` takes; appends results to the last as they come.
Import = Callable[..., None]


def in_threads(
    url: str, profiles: Iterable[Any], into: list[Result], token: str = TOKEN, options: Options | None = None, **how: Any
) -> None:
    with Client(url, token, options) as client:
        into.extend(client.import_and_start(profiles, **{"trigger": 8, **how}))


def in_a_loop(
    url: str, profiles: Iterable[Any], into: list[Result], token: str = TOKEN, options: Options | None = None, **how: Any
) -> None:
    async def run() -> None:
        async with (
            AsyncClient(url, token, options) as client,
            aclosing(client.import_and_start(profiles, **{"trigger": 8, **how})) as results,
        ):
            async for result in results:
                into.append(result)  # noqa: PERF401  # those before an error are looked at, too

    asyncio.run(run())
