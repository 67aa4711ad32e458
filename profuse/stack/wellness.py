"""Tells a process that runs and does nothing any more: its /healthz says so, or nobody answers there."""

import asyncio

import httpx

# A minute of looks; a supervisor that is frozen does not look.
LOOK_EVERY = 5.0
LOOKS = 12
_PATIENCE = 4.0


async def unwell(url: str) -> str:
    """Returns what is wrong once it has been so at each look of a minute; never for what has no /healthz."""
    problems, looks = "", 0
    while looks < LOOKS:
        await asyncio.sleep(LOOK_EVERY)
        problems = await _problems(url) if url.startswith("http") else ""
        looks = looks + 1 if problems else 0
    return problems


async def _problems(url: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE) as client:
            answer = await client.get(f"{url}/healthz")
    except httpx.HTTPError as error:
        return f"/healthz does not answer: {type(error).__name__}"
    return "" if answer.is_success else answer.text
