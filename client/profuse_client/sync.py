"""The client for programs without an event loop."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx2

from profuse_client import calls, connecting, results, threads
from profuse_client.calls import Call
from profuse_client.connecting import Options
from profuse_client.encoding import Profile
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.parameters import Importing, ImportingAndStarting, Launching, MatchBy
from profuse_client.results import Entry, Failed, Imported, Started, Task

R = TypeVar("R")


class Client:
    """A connection to one server with one token; may be used by several threads."""

    def __init__(self, url: str, token: str, options: Options | None = None) -> None:
        self._options = options or Options()
        self._http = httpx2.Client(**connecting.http(url, token, self._options))

    def import_and_start(
        self, profiles: Iterable[Profile], *, trigger: int, run_id: str | None = None, **how: Unpack[ImportingAndStarting]
    ) -> Iterator[Imported | Failed]:
        """Add or update each profile, and start the campaign for it: mappings, or `Item`s with what stands beside them.

        Nothing is sent until results are asked for: one for each, in their order, as they come. Raises `Refused` when the server
        refuses requests as a whole, and `GivenUp` when it is away for too long: results of all that comes before are given first.
        With the same `run_id`, the same profiles and the same `how` a run goes on where another ended, for 24 hours: what was
        imported is not imported again.
        """
        return self._run(calls.import_and_start(trigger, how), profiles, run_id, results.imported)

    def import_profiles(
        self, profiles: Iterable[Mapping[str, Any]], *, db_id: int, run_id: str | None = None, **how: Unpack[Importing]
    ) -> Iterator[Imported | Failed]:
        """Add or update each profile, and start nothing but what reacts to an import; else as `import_and_start`."""
        return self._run(calls.import_profiles(db_id, how), profiles, run_id, results.imported)

    def start(
        self, profiles: Iterable[Mapping[str, Any]], *, trigger: int, run_id: str | None = None, **how: Unpack[Launching]
    ) -> Iterator[Started | Failed]:
        """Start the campaign for each profile that is found by what is given of it; else as `import_and_start`."""
        return self._run(calls.start(trigger, how), profiles, run_id, results.started)

    def status(self, task_id: str, *, first: int = 0, limit: int = 10_000) -> Task:
        """How far a batch has come, with some of its entries."""
        return results.task(self._ask("tasks/status", {"task_id": task_id, "from": first, "limit": limit})["data"])

    def get(self, db_id: int, **match: Unpack[MatchBy]) -> Mapping[str, Any]:
        """One profile with its subscriptions; raises `Refused` (404) if there is none."""
        data: Mapping[str, Any] = self._ask("profiles/get", {"db_id": db_id, **match})["data"]
        return data

    def delete(self, db_id: int, **match: Unpack[MatchBy]) -> str:
        """Erase one profile for good; its id. Raises `Refused` (404) if there is none."""
        return str(self._ask("profiles/delete", {"db_id": db_id, **match})["profile_id"])

    def fields(self, db_id: int) -> Sequence[Mapping[str, Any]]:
        """The fields that profiles of a database may have: name, type, and whether they are searched by."""
        data: Sequence[Mapping[str, Any]] = self._ask("databases/fields_get", {"db_id": db_id})["data"]
        return data

    def trigger(self, trigger: int) -> Mapping[str, Any]:
        """One trigger campaign, under the API's names; `list_id` is its database."""
        data: Mapping[str, Any] = self._ask("campaigns/triggers/get", {"id": trigger})["data"]
        return data

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def _run(self, call: Call, items: Iterable[object], run_id: str | None, shown: Callable[[Entry], R]) -> Iterator[R]:
        return threads.carried_out(connecting.plan(call, run_id, self._options), items, self._post, shown)

    def _ask(self, path: str, parameters: dict[str, object]) -> Mapping[str, Any]:
        errand = connecting.errand(path, parameters, self._options)
        while (rest := errand.take(self._post(errand.exchange))) is not None:
            time.sleep(rest)
        return errand.answer

    def _post(self, exchange: Exchange) -> Outcome:
        began = time.monotonic()
        try:
            answer = self._http.post(exchange.path, content=iter(exchange.pieces), headers=exchange.headers)
        except httpx2.RequestError as cut:
            return Outcome(time.monotonic() - began, why=repr(cut))
        if self._http.is_closed:
            # A connection that was being made meanwhile was not there to be closed.
            answer.extensions["network_stream"].close()
        return Outcome(time.monotonic() - began, answer.status_code, answer.headers, answer.content)
