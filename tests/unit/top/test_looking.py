"""How processes are asked: by the health port that each of them has."""

from pathlib import Path

import httpx2

from profuse.plain_http import plain_client
from profuse.stack import state
from profuse.top.looking import look, of_stack
from runtime.health import application
from schemas import metrics


class Room:
    def alive(self) -> list[str]:
        return []

    async def ready(self) -> list[str]:
        return ["Postgres does not answer"]


def _process(name: str, room: str) -> state.RunningProcess:
    return state.RunningProcess(name=name, room=room, url=f"http://{name}", identity=state.Identity(pid=1, started=0.0))


async def test_a_process_is_asked_for_its_metrics_and_for_why_it_is_not_ready() -> None:
    metrics.SCHEDULED.inc()
    async with plain_client(transport=httpx2.ASGITransport(application(Room()))) as http:
        (seen,) = (await look(http, {"launcher-1": ("launcher", "http://launcher-1")})).processes

    assert seen.samples is not None
    assert seen.samples["profuse_launches_scheduled_total", frozenset()] >= 1
    assert seen.problems == ("Postgres does not answer",)


async def test_one_that_is_gone_costs_the_others_nothing() -> None:
    async with plain_client() as http:
        (seen,) = (await look(http, {"gateway-1": ("gateway", "http://127.0.0.1:1")})).processes

    assert (seen.samples, seen.problems) == (None, ())


def test_a_stacks_rooms_are_found_and_its_servers_left_alone(tmp_path: Path) -> None:
    processes = (_process("kafka", "kafka"), _process("gateway-1", "gateway"))
    identity = state.Identity(pid=1, started=0.0)
    state.write(tmp_path, state.State(supervisor=identity, kafka="k", postgres="p", smtp="s", processes=processes))

    assert of_stack(tmp_path) == {"gateway-1": ("gateway", "http://gateway-1")}
    assert of_stack(tmp_path / "another") == {}
