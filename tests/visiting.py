"""A console in this process, and people who visit it as a browser without scripts would."""

import asyncio
import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from profuse import console_tokens
from profuse.console.access.rights import Rights
from profuse.console.room import open_console
from profuse.plain_http import plain_client
from profuse.stack.ports import free_port
from schemas.settings import Settings

_INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')
_PLAN = re.compile(r'<form method="post" action="(/do/[\w-]+)" data-once>(.*?)</form>', re.DOTALL)
_COMMAND = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)
_COUNT = re.compile(r'<p class="big" id="count">([^<]+) <small>')


@dataclass
class Visitor:
    """Somebody at a console; follows no redirect by himself."""

    http: httpx2.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=headers)

    async def see(self, path: str) -> str:
        """A page that is there."""
        answer = await self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    async def post(self, path: str, form: dict[str, str], **headers: str) -> httpx2.Response:
        return await self.http.post(path, data=form, headers=headers)

    async def log_in(self, token: str) -> httpx2.Response:
        return await self.post("/login", {"token": token})

    async def csrf(self) -> str:
        found: dict[str, str] = dict(_INPUT.findall(await self.see("/actions")))
        return found["csrf"]

    async def plan(self, path: str) -> "Plan":
        text = await self.see(path)
        count, form = _COUNT.search(text), _PLAN.search(text)
        fields = {name: html.unescape(value) for name, value in _INPUT.findall(form[2])} if form else {}
        return Plan(text, html.unescape(count[1]) if count else None, form[1] if form else "", fields)

    async def do(self, path: str) -> str:
        """Ask, press the button, and wait for the end: the action's page."""
        plan = await self.plan(path)
        return await self.end_of(await self.post(plan.action, plan.fields))

    async def end_of(self, answer: httpx2.Response) -> str:
        assert answer.status_code == 303, answer.text
        async with asyncio.timeout(60):
            while 'hx-trigger="every 1s"' in (text := await self.see(answer.headers["location"])):
                await asyncio.sleep(0.05)
        return text


@dataclass
class Plan:
    text: str
    count: str | None
    action: str
    fields: dict[str, str]

    @property
    def command(self) -> str:
        """The line that does the same."""
        (found,) = _COMMAND.findall(self.text)
        return html.unescape(found)


@asynccontextmanager
async def visiting(settings: Settings, directory: Path) -> AsyncIterator[Visitor]:
    """A console runs while the block does; yields somebody who has not logged in."""
    ours = settings.model_copy(update={"console_port": free_port()})
    stop = asyncio.Event()
    async with open_console(ours, directory) as room:
        running = asyncio.create_task(room.run(stop))
        async with plain_client(base_url=f"http://127.0.0.1:{ours.console_port}", timeout=60) as http:
            yield Visitor(http)
        stop.set()
        await running


@asynccontextmanager
async def logged_in(visitor: Visitor, settings: Settings, rights: Rights, name: str) -> AsyncIterator[Visitor]:
    """Somebody else, with a token of his own."""
    token = await console_tokens.add(settings, name, rights, None)
    async with plain_client(base_url=visitor.http.base_url, timeout=60) as http:
        person = Visitor(http)
        assert (await person.log_in(token)).status_code == 303
        yield person
