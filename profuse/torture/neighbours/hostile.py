"""The hostile account: nothing but ugly requests, as many as admission lets through, and what becomes of each of their items."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx2

from profuse.plain_http import plain_client
from profuse.torture.neighbours.accounts import HOSTILE_TOKEN
from profuse.torture.neighbours.acts import Act, act, burst
from profuse.torture.neighbours.apart import send_apart
from profuse.torture.neighbours.crawling import crawl
from runtime.racing import rest

_ROOT = "/api/v1.1/"
_CLIENTS = 6
_CRAWLERS = 10
_PATIENCE = 20.0
# Seconds between bursts, and how many of its launches are due at once.
_BURST_EVERY = 120.0
_BURST = 20_000
_ASK_EVERY = 0.5
# After the end, so long for what is still on its way.
_SETTLED_WITHIN = 240.0
_LONGEST_REST = 5.0
# What fuzzers found, where the sources are at hand.
_CORPUS = Path(__file__).parents[3] / "fuzz" / "corpus"


@dataclass
class Seen:
    """What it was answered."""

    answers: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    # Items that have a result of their own.
    ended: int = 0
    # Batches that were accepted, and are not answered yet: how many items each has.
    tasks: dict[str, int] = field(default_factory=dict)
    # Batches that retention deleted before they were asked for.
    gone: list[str] = field(default_factory=list)


async def run(api: str, dice: Random, stop: asyncio.Event) -> dict[str, Any]:
    seen, corpus = Seen(), _corpus()
    address = urlsplit(api)
    sent = asyncio.Event()
    async with plain_client(base_url=api + _ROOT, timeout=_PATIENCE) as client, asyncio.TaskGroup() as asking:
        asking.create_task(_ask(client, sent, seen))
        async with asyncio.TaskGroup() as sending:
            sending.create_task(_bursts(client, dice, stop, seen))
            for _ in range(_CLIENTS):
                sending.create_task(_send(client, dice, corpus, stop, seen))
            for _ in range(_CRAWLERS):
                sending.create_task(crawl(address.hostname or "", address.port or 80, stop))
        # Only now: the last request may yet have been answered with a task.
        sent.set()
    return {"answers": seen.answers, "surprises": seen.surprises, "ended": seen.ended, "tasks": seen.tasks, "gone": seen.gone}


async def _send(client: httpx2.AsyncClient, dice: Random, corpus: Sequence[Any], stop: asyncio.Event, seen: Seen) -> None:
    while not stop.is_set():
        await _do(client, act(dice, corpus), seen)


async def _bursts(client: httpx2.AsyncClient, dice: Random, stop: asyncio.Event, seen: Seen) -> None:
    while not stop.is_set():
        while not stop.is_set() and not await _do(client, burst(dice, _BURST), seen):
            pass
        await rest(stop, _BURST_EVERY)


async def _do(client: httpx2.AsyncClient, act: Act, seen: Seen) -> bool:
    """Whether it was taken; a refusal for a while is obeyed."""
    try:
        answer = await client.post(act.path, content=act.body, headers=list(act.headers))
    except httpx2.TransportError as error:
        # A body that is refused before it was read, or a fault: each is counted elsewhere.
        seen.answers[type(error).__name__] += 1
        return False
    seen.answers[str(answer.status_code)] += 1
    if surprise := _note(act, answer, seen):
        seen.surprises.append(f"{act.path} {surprise}: {answer.status_code} {answer.text[:200]} to {act.body[:200]!r}")
    if answer.status_code in (429, 503):
        await asyncio.sleep(min(float(answer.headers.get("Retry-After", 1)), _LONGEST_REST))
    return answer.status_code < 300


def _note(act: Act, answer: httpx2.Response, seen: Seen) -> str | None:
    """What is wrong with an answer."""
    try:
        body = answer.json()
    except json.JSONDecodeError:
        return "answered no JSON"
    if (answer.status_code >= 500 and answer.status_code != 503) or body.get("error") != (0 if answer.is_success else answer.status_code):
        return "answered an error of ours"
    if answer.status_code == httpx2.codes.ACCEPTED:
        seen.tasks[body["data"]["task_id"]] = act.items
    elif "result" in body:
        seen.ended += len(body["result"])
        if (act.items and len(body["result"]) != act.items) or not all(_is_ended(entry) for entry in body["result"]):
            return "answered items without a result"
    return None


def _is_ended(entry: Any) -> bool:
    return isinstance(entry, dict) and ("profile_id" in entry) != ("error" in entry)


async def _ask(client: httpx2.AsyncClient, sent: asyncio.Event, seen: Seen) -> None:
    """What became of the batches that were answered with a task, until all are sent and known."""
    given_up: float | None = None
    while not sent.is_set() or (seen.tasks and asyncio.get_running_loop().time() < (given_up or float("inf"))):
        if sent.is_set() and given_up is None:
            given_up = asyncio.get_running_loop().time() + _SETTLED_WITHIN
        for task in list(seen.tasks):
            await _ask_for(client, task, seen)
        await asyncio.sleep(_ASK_EVERY)


async def _ask_for(client: httpx2.AsyncClient, task: str, seen: Seen) -> None:
    try:
        answer = await client.post("tasks/status", json={"token": HOSTILE_TOKEN, "task_id": task, "limit": 100_000})
    except httpx2.TransportError:
        return
    if answer.status_code == httpx2.codes.NOT_FOUND:
        del seen.tasks[task]
        seen.gone.append(task)
    elif answer.is_success and answer.json()["data"]["status"] == "completed":
        del seen.tasks[task]
        items = answer.json()["data"]["result"]["items"]
        seen.ended += len(items)
        if not all(_is_ended(entry) for entry in items):
            seen.surprises.append(f"task {task} is completed with items without a result")


def _corpus() -> list[Any]:
    return [json.loads(file.read_bytes().replace(b"1e400", b"1e300")) for file in sorted(_CORPUS.glob("*.json"))]


if __name__ == "__main__":
    send_apart(run)
