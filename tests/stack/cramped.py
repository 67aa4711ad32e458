"""A stack whose servers have small disks, and a producer that repeats what is not acknowledged."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import httpx2

from profuse.plain_http import NO_CERTIFICATES
from tests.pipeline.stack import BATCH, TOKEN
from tests.pipeline.world import World
from tests.stack.disk import Disk
from tests.stack.door import Door, wait_until

WORKERS = ("matcher-1", "launcher-1")
ROOMS = ("gateway-1", *WORKERS)
LONG = "x" * 400


@dataclass
class Cramped:
    """One process of each room."""

    door: Door
    disks: dict[str, Disk]
    # As reported once: these commands take long where a process does not answer.
    status: dict[str, Any]
    # Items of each request, by its `Request-ID`.
    sent: dict[str, int] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.door.directory

    def post(self, name: str, items: int, path: str = BATCH, page: str = "") -> httpx2.Response:
        """The same name means the same request."""
        people = [{"email": f"{name}-{n}@disk.test", "_fname": LONG, "_status": "unsubscribed" if n else 0} for n in range(items)]
        root = {"token": TOKEN, "trigger_id": 8, "skip_triggers": True, "content": {"page": page}}
        body = json.dumps(root | {"data": [{"data": person} for person in people]})
        self.sent[name] = items
        url = f"{self.status['api']}/api/v1.1/{path}"
        return httpx2.post(url, content=body, headers={"Request-ID": name}, verify=NO_CERTIFICATES, timeout=60)

    def repeat(self, name: str, items: int, path: str = BATCH, page: str = "") -> None:
        """Until it is answered; nothing else than the documented answers may come meanwhile."""

        def answered() -> bool:
            answer = self.post(name, items, path, page)
            assert answer.status_code in (200, 202, 409, 503), answer.text
            return answer.status_code == 200

        wait_until(answered, 60)

    def freeze(self, name: str) -> None:
        os.kill(self._pid(name), signal.SIGSTOP)

    def thaw(self) -> None:
        for name in WORKERS:
            os.kill(self._pid(name), signal.SIGCONT)

    def _pid(self, name: str) -> int:
        return next(int(process["pid"]) for process in self.status["processes"] if process["name"] == name)

    def query(self, sql: str) -> Any:
        world = World(self.status["kafka"], self.status["postgres"], "profuse")
        try:
            return world.value(sql)
        finally:
            world.close()

    def since(self) -> Callable[[str, str], None]:
        """What waits until a process says something that it had not said before."""
        said = {name: len(self.log(name)) for name in (*ROOMS, "supervisor")}

        def until_said(name: str, words: str) -> None:
            wait_until(lambda: words in self.log(name)[said[name] :], 40)

        return until_said

    def log(self, name: str) -> str:
        return (self.directory / "log" / f"{name}.log").read_text(errors="replace")

    def mails(self) -> list[str]:
        """The `Message-ID` of each mail that came."""
        return [BytesHeaderParser().parsebytes(mail.read_bytes())["Message-ID"] for mail in (self.directory / "mail").glob("*.eml")]
