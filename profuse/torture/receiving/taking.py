"""The receiver's process: it checks each POST as any receiver would, and notes it before it answers.

It prints its address, reads its moods from its standard input, and ends with that.
"""

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import BinaryIO

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from profuse.torture.receiving.noted import EVENTS, LAUNCHES, EventsNoted, LaunchNoted, digest
from profuse.torture.receiving.outlets import HOOK, PATIENCE, PROVIDER, Mood
from runtime.connections import Trusted
from runtime.serving import serving

_TAKEN, _UNSIGNED = 204, 401
# What it answers in its moods; whoever hangs says nothing in time.
_ANSWERS: Mapping[Mood, Response] = {
    Mood.REFUSES: Response(status_code=503),
    Mood.LIMITS: Response(status_code=429, headers={"Retry-After": "1"}),
    Mood.HANGS: Response(status_code=503),
}


class Taking:
    """`mood` changes while it runs."""

    def __init__(self, folder: Path, dice: Random) -> None:
        self.mood = Mood.WELL
        self._dice = dice
        self._launches = (folder / LAUNCHES).open("wb")
        self._events = (folder / EVENTS).open("wb")

    async def launch(self, request: Request) -> Response:
        headers, body = dict(request.headers), await request.body()
        mood = self._mood()
        wrong = _wrong(PROVIDER, headers, body)
        content = {name: value for name, value in msgspec.json.decode(body).items() if name != "timestamp"}
        id_, key, now = headers.get("webhook-id", ""), headers.get("idempotency-key", ""), time.time()
        waited = 0.0 if wrong else now - int(headers["webhook-timestamp"])
        _note(self._launches, LaunchNoted(id_, key, now, waited, mood is Mood.WELL and not wrong, content, wrong))
        return await _answer(mood, wrong)

    async def hook(self, request: Request) -> Response:
        headers, body = dict(request.headers), await request.body()
        mood = self._mood()
        wrong = _wrong(HOOK, headers, body)
        events = [digest(event).hex() for event in msgspec.json.decode(body, type=list[msgspec.Raw])]
        account = request.path_params["account"]
        _note(self._events, EventsNoted(account, headers.get("webhook-id", ""), digest(body).hex(), events, wrong))
        return await _answer(mood, wrong)

    def close(self) -> None:
        self._launches.close()
        self._events.close()

    def _mood(self) -> Mood:
        return self.mood if self._dice.random() < 1 / 2 else Mood.WELL


def _note(file: BinaryIO, noted: msgspec.Struct) -> None:
    file.write(msgspec.json.encode(noted) + b"\n")


def _wrong(secret: str, headers: dict[str, str], body: bytes) -> str:
    """Why no receiver would take it."""
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError as why:
        return str(why) or "no signature"
    return ""


async def _answer(mood: Mood, wrong: str) -> Response:
    if mood is Mood.HANGS:
        await asyncio.sleep(PATIENCE * 1.5)
    return Response(status_code=_UNSIGNED if wrong else _TAKEN) if wrong or mood is Mood.WELL else _ANSWERS[mood]


def application(taking: Taking) -> Starlette:
    paths: Mapping[str, Callable[[Request], Awaitable[Response]]] = {"/launch": taking.launch, "/hook/{account:int}": taking.hook}
    return Starlette(routes=[Route(path, handler, methods=["POST"]) for path, handler in paths.items()])


async def _serve(taking: Taking) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        async with serving(application(taking), listener, Trusted):
            print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                taking.mood = Mood(line.strip())


if __name__ == "__main__":
    taken = Taking(Path(sys.argv[1]), Random(sys.argv[2]))  # noqa: S311  # repeatable
    asyncio.run(_serve(taken))
    taken.close()
