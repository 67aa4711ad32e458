"""A whole pipeline under a prefix of its own: its processes, its API, its world."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from profuse.plain_http import NO_CERTIFICATES
from tests.pipeline.processes import Process, run
from tests.pipeline.sink import Sink
from tests.pipeline.waiting import eventually
from tests.pipeline.world import World

ACCOUNT = Path(__file__).with_name("account.toml")
TOKEN = "abcdefghijklmnqrstuvwxyz"
BATCH = "campaigns/triggers/import_and_start_batch"

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """An answer's HTTP status and body."""

    status: int
    body: Json


class Stack:
    """Gateway, matchers and launchers as real processes."""

    def __init__(self, environment: Mapping[str, str], world: World, sink: Sink, directory: Path, *, replicas: int) -> None:
        self.environment, self.world, self.sink, self._directory = environment, world, sink, directory
        self.gateway = self._process("gateway", 1)
        self.matchers = [self._process("matcher", number) for number in range(1, replicas + 1)]
        self.launchers = [self._process("launcher", number) for number in range(1, replicas + 1)]
        self._http = httpx2.Client(verify=NO_CERTIFICATES, timeout=60)

    @property
    def processes(self) -> list[Process]:
        return [self.gateway, *self.matchers, *self.launchers]

    def start(self) -> None:
        """Migrated, applied, and every process ready; what runs already stays."""
        run(["migrate"], self.environment)
        run(["apply", str(ACCOUNT)], self.environment)
        self.heal()

    def heal(self) -> None:
        """Start what does not run."""
        for process in self.processes:
            if not process.runs:
                process.start()
        for process in self.processes:
            process.wait_ready()

    def stop(self) -> list[int | None]:
        """Ask all to stop at once; their exit codes."""
        for process in self.processes:
            process.ask_to_stop()
        self._http.close()
        return [process.wait(10) for process in self.processes]

    def raw(self, path: str, content: bytes, headers: Mapping[str, str] | None = None, method: str = "POST") -> httpx2.Response:
        url = f"http://127.0.0.1:{self.gateway.port}/api/v1.1/{path}"
        return self._http.request(method, url, content=content, headers={"Content-Type": "application/json", **(headers or {})})

    def send(self, path: str, content: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        answer = self.raw(path, content, headers)
        return Answer(answer.status_code, answer.json())

    def post(self, path: str, **body: object) -> Answer:
        return self.send(path, json.dumps({"token": TOKEN, **body}).encode())

    def import_and_start(self, items: list[Any], **root: object) -> Answer:
        return self.post(BATCH, **{"trigger_id": 8, "skip_triggers": True, "data": items, **root})

    def profile(self, profile_id: str) -> Json:
        """What `profiles/get` shows of it."""
        answer = self.post("profiles/get", db_id=1, matching="profile_id", profile_id=profile_id)

        assert answer.body["error"] == 0, answer.body
        shown: Json = answer.body["data"]
        return shown

    def status(self, task: str, limit: int = 10_000) -> Json:
        answer = self.post("tasks/status", task_id=task, limit=limit)

        assert answer.body["error"] == 0, answer.body
        shown: Json = answer.body["data"]
        return shown

    def last_task(self) -> str:
        """The latest batch, or nothing; ids are ordered by time."""
        latest = self.world.value("SELECT id FROM batches ORDER BY id DESC LIMIT 1")
        return "" if latest is None else str(latest.hex())

    def next_task(self, before: str) -> str:
        """The batch that is accepted after `before`."""
        eventually(lambda: self.last_task() != before, 10, lambda: "a batch is accepted")
        return self.last_task()

    def launched_items(self, task: str, expected: int) -> list[int]:
        """The items of all groups of launches, once they are that many; an item of two groups is there twice."""
        items: list[int] = []

        def all_there() -> bool:
            rows = self.world.rows("SELECT items FROM launches WHERE batch = $1", bytes.fromhex(task))
            items[:] = sorted(item for row in rows for item in row["items"])
            return len(items) >= expected

        eventually(all_there, 30, lambda: f"batch {task} has {expected} launches; it has {len(items)}")
        return items

    def answered_items(self, task: str) -> list[int]:
        """The items of all stored results, sorted."""
        rows = self.world.rows("SELECT items FROM results WHERE batch = $1", bytes.fromhex(task))
        return sorted(item for row in rows for item in row["items"])

    def dead_letters(self) -> list[str]:
        return [str(row["reason"]) for row in self.world.rows("SELECT reason FROM dead_letters")]

    def wait_launched(self, task: str, seconds: float = 30) -> Json:
        """The batch's counts, once each imported item has had its launch."""
        counts: Json = {}

        def over() -> bool:
            status = self.status(task, limit=0)
            counts.update(status["result"])
            ended = sum(counts[name] for name in ("launched", "skipped", "launch_failed"))
            return bool(status["status"] == "completed" and ended >= counts["imported"])

        eventually(over, seconds, lambda: f"batch {task} is launched; its counts are {counts}", pause=0.1)
        return counts

    def logs(self) -> str:
        return "".join(process.log.read_text(errors="replace") for process in self.processes if process.log.exists())

    @contextmanager
    def another_gateway(self, **environment: str) -> Iterator[Process]:
        """Beside the first one, on a port of its own."""
        gateway = self._process("gateway", 2)
        gateway.start(**environment)
        try:
            gateway.wait_ready()
            yield gateway
        finally:
            # A process that is frozen hears nothing else.
            gateway.thaw()
            gateway.ask_to_stop()
            code = gateway.wait(10)

        assert code == 0

    def _process(self, room: str, number: int) -> Process:
        return Process(room, f"{room}-{number}", self.environment, self._directory / f"{room}-{number}.log")
