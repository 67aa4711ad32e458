"""The commands, and the receiver of docs/hooks.md."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from profuse.stack.ports import free_port
from tests.kafka.conftest import until
from tests.kafka.hooks.conftest import SECRET, World
from tests.kafka.hosting import hosted
from tests.pipeline.processes import PROFUSE, run

PAGE = Path(__file__).parents[3] / "docs" / "hooks.md"


@pytest.mark.promise("P-HOOK-02")
async def test_the_receiver_of_the_page_takes_events_once_and_refuses_others(world: World) -> None:
    receiver = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    port = free_port()
    environment = os.environ | {"PORT": str(port), "SECRET": SECRET}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", receiver, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        await world.declare("crm", url=url)
        await world.declare("stranger", url=url, secrets=["whsec_" + "b" * 32])
        async with hosted("hooks", world.settings):
            await world.tell(range(3), kind="fail")
            await world.until_moved("crm", 0, 3)
            await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE answer = '401')")
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode().split()[0] for _ in range(3)]
    finally:
        process.kill()
        rest, _ = await process.communicate()

    assert lines == ["fail"] * 3
    assert rest == b""


@pytest.mark.promise("P-HOOK-10", "P-DOOR-10")
async def test_the_commands_show_resume_and_replay(world: World) -> None:
    settings = world.settings
    environment = {"PROFUSE_KAFKA": settings.kafka, "PROFUSE_POSTGRES": settings.postgres, "PROFUSE_PREFIX": settings.prefix}
    await world.declare("crm")
    await world.declare("crm", account=2, active=False)
    async with hosted("hooks", settings):
        await world.tell([0])
        await world.until_moved("crm", 0, 1)
    shown = {hook["account"]: hook for hook in json.loads(run(["hooks", "list", "--json"], environment))}

    assert shown[1].keys() == {"account", "name", "state", "why", "since", "behind", "lost", "answer", "answered_at"}
    assert (shown[1]["state"], shown[1]["behind"], shown[1]["lost"], shown[1]["answer"]) == ("active", 0, 0, "200")
    assert (shown[2]["state"], shown[2]["answer"]) == ("inactive", None)
    assert "crm" in run(["hooks", "list"], environment)
    assert run(["hooks", "resume", "crm", "--account", "1"], environment).startswith("account 1, hook crm: was not paused")
    replayed = run(["hooks", "replay", "crm", "--account", "1", "--since", "2025-01-02T03:04:05"], environment)
    assert replayed == "account 1, hook crm: begins again at the events since 2025-01-02T03:04:05+00:00\n"
    ambiguous = subprocess.run(  # noqa: ASYNC221
        [PROFUSE, "hooks", "resume", "crm"], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert (ambiguous.returncode, ambiguous.stderr.count("\n")) == (1, 1)


async def test_without_a_hook_nothing_is_read(world: World) -> None:
    await world.declare("crm", active=False)
    async with hosted("hooks", world.settings) as room:

        async def is_ready() -> bool:
            return await room.ready() == []

        await until(is_ready)
        await world.tell(range(3))
        await world.declare("crm", active=True)
        await world.until_taken("crm", range(3))
