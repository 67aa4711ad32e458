"""The client for programs with an asyncio loop."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx2

from profuse_client import calls, connecting, results, tasks
from profuse_client.calls import Call
from profuse_client.connecting import Options
from profuse_client.encoding import Profile
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.parameters import Importing, ImportingAndStarting, Launching, MatchBy
from profuse_client.results import Entry, Failed, Imported, Started, Task

R = TypeVar("R")
T = TypeVar("T")

# What is read while it comes, or is there.
Stream = Iterable[T] | AsyncIterable[T]


class AsyncClient:
    """`Client`, for asyncio: the same methods, and profiles may come from an async iterable too; a plain one is read in the loop."""

    def __init__(self, url: str, token: str, options: Options | None = None) -> None:
        self._options = options or Options()
        self._http = httpx2.AsyncClient(**connecting.http(url, token, self._options))

    def import_and_start(
        self, profiles: Stream[Profile], *, trigger: int, run_id: str | None = None, **how: Unpack[ImportingAndStarting]
    ) -> AsyncGenerator[Imported | Failed, None]:
        """As `Client.import_and_start`; to leave it before its end, `aclose` it, which `contextlib.aclosing` does."""
        return self._run(calls.import_and_start(trigger, how), profiles, run_id, results.imported)

    def import_profiles(
        self, profiles: Stream[Mapping[str, Any]], *, db_id: int, run_id: str | None = None, **how: Unpack[Importing]
    ) -> AsyncGenerator[Imported | Failed, None]:
        """As `Client.import_profiles`."""
        return self._run(calls.import_profiles(db_id, how), profiles, run_id, results.imported)

    def start(
        self, profiles: Stream[Mapping[str, Any]], *, trigger: int, run_id: str | None = None, **how: Unpack[Launching]
    ) -> AsyncGenerator[Started | Failed, None]:
        """As `Client.start`."""
        return self._run(calls.start(trigger, how), profiles, run_id, results.started)

    async def status(self, task_id: str, *, first: int = 0, limit: int = 10_000) -> Task:
        """As `Client.status`."""
        return results.task((await self._ask("tasks/status", {"task_id": task_id, "from": first, "limit": limit}))["data"])

    async def get(self, db_id: int, **match: Unpack[MatchBy]) -> Mapping[str, Any]:
        """As `Client.get`."""
        data: Mapping[str, Any] = (await self._ask("profiles/get", {"db_id": db_id, **match}))["data"]
        return data

    async def delete(self, db_id: int, **match: Unpack[MatchBy]) -> str:
        """As `Client.delete`."""
        return str((await self._ask("profiles/delete", {"db_id": db_id, **match}))["profile_id"])

    async def fields(self, db_id: int) -> Sequence[Mapping[str, Any]]:
        """As `Client.fields`."""
        data: Sequence[Mapping[str, Any]] = (await self._ask("databases/fields_get", {"db_id": db_id}))["data"]
        return data

    async def trigger(self, trigger: int) -> Mapping[str, Any]:
        """As `Client.trigger`."""
        data: Mapping[str, Any] = (await self._ask("campaigns/triggers/get", {"id": trigger}))["data"]
        return data

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        await self.close()

    def _run(self, call: Call, items: Stream[object], run_id: str | None, shown: Callable[[Entry], R]) -> AsyncGenerator[R, None]:
        return tasks.carried_out(connecting.plan(call, run_id, self._options), items, self._post, shown)

    async def _ask(self, path: str, parameters: dict[str, object]) -> Mapping[str, Any]:
        errand = connecting.errand(path, parameters, self._options)
        while (rest := errand.take(await self._post(errand.exchange))) is not None:  # noqa: ASYNC110  # the server is who knows
            await asyncio.sleep(rest)
        return errand.answer

    async def _post(self, exchange: Exchange) -> Outcome:
        began = time.monotonic()
        try:
            answer = await self._http.post(exchange.path, content=_stream(exchange), headers=exchange.headers)
        except httpx2.RequestError as cut:
            return Outcome(time.monotonic() - began, why=repr(cut))
        if self._http.is_closed:
            # A connection that was being made meanwhile was not there to be closed.
            await answer.extensions["network_stream"].aclose()
        return Outcome(time.monotonic() - began, answer.status_code, answer.headers, answer.content)


async def _stream(exchange: Exchange) -> AsyncIterator[bytes]:
    for piece in exchange.pieces:
        yield piece
