"""Tells a process that runs and does nothing any more: its /healthz says so, or nobody answers there."""

import asyncio

import httpx2

from profuse.plain_http import plain_client

# A minute of looks; a supervisor that is frozen does not look.
LOOK_EVERY = 5.0
LOOKS = 12
_PATIENCE = 4.0
# A connection that lived between two looks would be one that a stopping process waits for.
_NOT_KEPT = httpx2.Limits(max_keepalive_connections=0)


async def unwell(url: str) -> str:
    """Returns what is wrong once it has been so at each look of a minute; never for what has no /healthz."""
    if not url.startswith("http"):
        return await asyncio.Future()
    problems, looks = "", 0
    async with plain_client(timeout=_PATIENCE, limits=_NOT_KEPT) as client:
        while looks < LOOKS:
            await asyncio.sleep(LOOK_EVERY)
            problems = await _problems(client, url)
            looks = looks + 1 if problems else 0
    return problems


async def _problems(client: httpx2.AsyncClient, url: str) -> str:
    try:
        answer = await client.get(f"{url}/healthz")
    except httpx2.HTTPError as error:
        return f"/healthz does not answer: {type(error).__name__}"
    return "" if answer.is_success else answer.text
