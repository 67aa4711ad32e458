"""Batches as their producer sees them: sent without waiting, and asked for later."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from profuse.plain_http import NO_CERTIFICATES
from tests.stack.door import Door, wait_until
from tests.stack.producer import APART, TOKEN, running

_TASK = "campaigns/triggers/import_and_start_batch_task"


@dataclass(frozen=True)
class Batch:
    """One that was accepted; its name is the Request-ID, and in the addresses of its items."""

    name: str
    task: str
    size: int


def send(stack: Door, name: str, size: int, *, request: str = "", **parameters: Any) -> Batch:
    data = [{"data": {"email": f"{name}-{number}@stack.test"}} for number in range(size)]
    answer = _post(stack, _TASK, {"Request-ID": request or name}, trigger_id=8, data=data, **parameters)
    assert answer.status_code == 200, answer.text
    return Batch(name, answer.json()["data"]["task_id"], size)


def status(stack: Door, batch: Batch) -> dict[str, Any] | None:
    """What `tasks/status` says and counts, None where nobody knows the task."""
    answer = _post(stack, "tasks/status", {}, task_id=batch.task)
    assert answer.status_code in (200, 404), answer.text
    if answer.status_code == 404:
        return None
    found: dict[str, Any] = answer.json()["data"]
    return {**found, **found["result"]}


def wait_for(stack: Door, batch: Batch, counted: str) -> None:
    """Until all of its items count as that."""
    wait_until(lambda: (status(stack, batch) or {}).get(counted) == batch.size, seconds=60)


@contextmanager
def sending(stack: Door, name: str, size: int) -> Iterator[list[Batch]]:
    """One batch after the other; yields those that are accepted so far."""
    sent: list[Batch] = []
    stop = threading.Event()

    def send_all() -> None:
        for number in count():
            if stop.wait(APART):
                return
            sent.append(send(stack, f"{name}-{number}", size))

    sender = threading.Thread(target=send_all)
    sender.start()
    try:
        yield sent
    finally:
        stop.set()
        sender.join()


def launched(directory: Path) -> list[tuple[str, str]]:
    """Recipient and Message-ID of each mail that arrived."""
    mails = [message_from_bytes(each.read_bytes()) for each in (directory / "mail").glob("*.eml")]
    return sorted((mail["To"], mail["Message-ID"].strip()) for mail in mails)


def _post(stack: Door, path: str, headers: dict[str, str], **body: Any) -> httpx2.Response:
    url = f"{running(stack).api}/api/v1.1/{path}"
    return httpx2.post(url, json={"token": TOKEN, **body}, headers=headers, verify=NO_CERTIFICATES, timeout=60)
