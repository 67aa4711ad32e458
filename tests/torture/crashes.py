"""Lets a room die at named steps in the middle of a small batch, starts it again, and looks at what came of it."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import httpx2

from tests.pipeline.processes import Process
from tests.pipeline.stack import BATCH, TOKEN, Stack
from tests.pipeline.waiting import eventually
from tests.torture.provider import TRIGGER, Provider

ITEMS = 12
KINDS = ("import_api", "launch", "send")
_PENDING = "SELECT count(*) FROM launches WHERE batch = $1 AND finished_at IS NULL"
_DEAD_WITHIN = 20.0
# Two slow deaths and starts, and what is done after them.
_ANSWERED_WITHIN = 90.0


class Crashes(NamedTuple):
    """Where a room dies, one life after the other, and what its launches leave by."""

    room: str
    points: tuple[str, ...]
    by: str = "email"

    @property
    def name(self) -> str:
        """Fit for an address."""
        return "-".join((self.room, *self.points, self.by)).replace(":", "-").replace("_", "-")


@dataclass(frozen=True)
class Seen:
    """All that a client, an operator and the world can count."""

    exit_codes: list[int | None]
    answered_ids: int
    results: list[int]
    launches: list[int]
    # How many different messages each recipient got, and who got one more often than a crash explains.
    messages: dict[str, int]
    too_often: list[str]
    events: Counter[tuple[int, str]]
    dead_letters: list[str]
    # POSTs that a provider would not take.
    refused: list[str]


STREAM = ("read", "prepared", "locked", "applied", "moved", "committed", "published", "loaded", "outbox_published")
PAGING = ("claimed", "outbox_published", "sent", "marked", "published")
GATEWAY = ("accepted", "half_published", "confirmed", "noted")

_MATCHER = [Crashes("matcher", (f"stream:{step}",)) for step in STREAM]
# What one life committed and did not publish, the next ones must.
_MATCHER += [Crashes("matcher", ("stream:committed", f"stream:{step}")) for step in ("loaded", "outbox_published")]
_SCHEDULING = [Crashes("launcher", (f"stream:{step}",)) for step in STREAM]
_FIRING = [Crashes("launcher", (f"delivery:{step}",)) for step in PAGING]
_FIRING += [Crashes("launcher", ("delivery:marked", f"delivery:{step}")) for step in ("claimed", "outbox_published")]
_POSTING = [crashes._replace(by="webhook") for crashes in _FIRING]
_GATEWAY = [Crashes("gateway", (f"gateway:{step}",)) for step in GATEWAY]

LANES = [_MATCHER, _SCHEDULING + _GATEWAY, _FIRING + _POSTING]


def walk(stack: Stack, provider: Provider, crashes: Crashes) -> Seen:
    process = {"gateway": stack.gateway, "matcher": stack.matchers[0], "launcher": stack.launchers[0]}[crashes.room]
    process.ask_to_stop()
    process.wait(10)
    with ThreadPoolExecutor() as threads:
        posting = threads.submit(_post, stack, crashes)
        exit_codes = [_die(stack, process, point) for point in crashes.points]
        stack.heal()
        answered = posting.result()
    task = stack.last_task()
    stack.wait_launched(task)
    # A group is finished when the world has heard of it.
    eventually(lambda: stack.world.value(_PENDING, bytes.fromhex(task)) == 0, 30, lambda: f"batch {task} is finished")
    arrivals = (stack.sink if crashes.by == "email" else provider).arrivals(f"{crashes.name}-")
    events = {event["event_id"]: event for event in stack.world.events() if event["event_data"]["batch_id"] == task}
    return Seen(
        exit_codes,
        answered,
        stack.answered_items(task),
        stack.launched_items(task, ITEMS),
        {address: len(set(messages)) for address, messages in arrivals.items()},
        [address for address, messages in arrivals.items() if len(messages) > 1 + len(crashes.points)],
        Counter((event["event_data"]["item"], event["event_type"]) for event in events.values()),
        stack.dead_letters(),
        provider.refused,
    )


def everything_once(crashes: Crashes) -> Seen:
    items = list(range(ITEMS))
    messages = {f"{crashes.name}-{item}@crash.test": 1 for item in items}
    events = Counter((item, kind) for item in items for kind in KINDS)
    return Seen([-9] * len(crashes.points), ITEMS, items, items, messages, [], events, [], [])


def _die(stack: Stack, process: Process, point: str) -> int | None:
    process.start(PROFUSE_CRASH_AT=point)
    code = process.wait(_DEAD_WITHIN)
    if process.room != "gateway":
        stack.world.evict(process.room)
    return code


def _post(stack: Stack, crashes: Crashes) -> int:
    """As a producer does: again and again under the same Request-ID; returns the number of answered ids."""
    items = [{"data": {"email": f"{crashes.name}-{number}@crash.test"}} for number in range(ITEMS)]
    trigger = TRIGGER if crashes.by == "webhook" else 8
    body = json.dumps({"token": TOKEN, "trigger_id": trigger, "skip_triggers": True, "data": items}).encode()
    deadline = time.monotonic() + _ANSWERED_WITHIN
    while time.monotonic() < deadline:
        try:
            answer = stack.raw(BATCH, body, {"Request-ID": crashes.name})
        except httpx2.TransportError:
            answer = None
        if answer is not None and answer.status_code == 200:
            return len({entry["profile_id"] for entry in answer.json()["result"]})
        time.sleep(0.05)
    return 0
