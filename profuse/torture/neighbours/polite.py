"""The polite account: small batches at a steady pace, each repeated until it is answered."""

import asyncio
import time
from random import Random
from typing import Any

import httpx2

from profuse.plain_http import plain_client
from profuse.torture.neighbours.accounts import POLITE_TOKEN, TRIGGER
from profuse.torture.neighbours.apart import send_apart

_PATH = "/api/v1.1/campaigns/triggers/import_and_start_batch"
_CLIENTS = 5
_EVERY = 0.5
_PROFILES = 500
_LARGEST = 5
_PATIENCE = 20.0
_PAUSE = 0.1


async def run(api: str, dice: Random, stop: asyncio.Event) -> dict[str, Any]:
    """Each request's wait, from when it was first sent until it was answered 200 (null: never), and what no answer should say."""
    waits: list[tuple[float, float | None]] = []
    surprises: list[str] = []
    async with plain_client(base_url=api, timeout=_PATIENCE) as client:
        await asyncio.gather(*(_client(client, number, dice, stop, waits, surprises) for number in range(_CLIENTS)))
    return {"waits": waits, "surprises": surprises}


async def _client(
    client: httpx2.AsyncClient,
    number: int,
    dice: Random,
    stop: asyncio.Event,
    waits: list[tuple[float, float | None]],
    surprises: list[str],
) -> None:
    count = 0
    while not stop.is_set():
        sent = time.time()
        # Added at once, so that a request that is never answered counts.
        waits.append((sent, None))
        place = len(waits) - 1
        count += 1
        if await _answered(client, f"polite-{number}-{count}", _items(dice), stop, surprises):
            waits[place] = (sent, time.time())
        await asyncio.sleep(max(0.0, sent + _EVERY - time.time()))


def _items(dice: Random) -> list[dict[str, Any]]:
    return [
        {"data": {"email": f"{dice.randrange(_PROFILES)}@polite.test", "_fname": f"Ann {dice.random()}"}}
        for _ in range(dice.randint(1, _LARGEST))
    ]


async def _answered(client: httpx2.AsyncClient, name: str, items: list[dict[str, Any]], stop: asyncio.Event, surprises: list[str]) -> bool:
    body = {"token": POLITE_TOKEN, "trigger_id": TRIGGER, "data": items}
    while not stop.is_set():
        try:
            answer = await client.post(_PATH, json=body, headers={"Request-ID": name})
        except httpx2.TransportError:
            await asyncio.sleep(_PAUSE)
            continue
        if answer.status_code == httpx2.codes.OK:
            failed = [entry for entry in answer.json()["result"] if "profile_id" not in entry]
            surprises += [f"{name}: {entry}" for entry in failed]
            return True
        if answer.status_code not in (202, 409, 429, 503):
            surprises.append(f"{name}: {answer.status_code} {answer.text[:200]}")
            return False
        await asyncio.sleep(_PAUSE)
    return False


if __name__ == "__main__":
    send_apart(run)
