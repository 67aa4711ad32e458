"""Three pipelines side by side, because each crash costs a process's start; one room of each is made to die."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.pipeline.processes import run
from tests.pipeline.sink import listening
from tests.pipeline.stack import Stack
from tests.pipeline.world import World
from tests.torture.crashes import LANES, Crashes, Seen, walk
from tests.torture.provider import providing

# What a dead process held is free again soon.
_HURRIED = {"PROFUSE_PARTITIONS": "2", "PROFUSE_LEASE": "PT2S", "PROFUSE_ACCEPTING_LEASE": "PT1S", "PROFUSE_SESSION_TIMEOUT": "PT6S"}


@pytest.fixture(scope="session")
def walked(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[Crashes, Seen]:
    """What was seen after each of the crashes."""
    directory = tmp_path_factory.mktemp("crashes")
    with ThreadPoolExecutor() as threads:
        lanes = [threads.submit(_walk, servers, directory / str(number), crashes) for number, crashes in enumerate(LANES)]
        return {crashes: seen for lane in lanes for crashes, seen in lane.result().items()}


def _walk(servers: tuple[str, str], directory: Path, lane: list[Crashes]) -> dict[Crashes, Seen]:
    directory.mkdir()
    with providing() as provider, _pipeline(servers, directory) as stack:
        file = directory / "provider.toml"
        file.write_text(provider.file)
        run(["apply", str(file)], stack.environment)
        return {crashes: walk(stack, provider, crashes) for crashes in lane}


@contextmanager
def _pipeline(servers: tuple[str, str], directory: Path) -> Iterator[Stack]:
    kafka, postgres = servers
    prefix = f"t{secrets.token_hex(6)}"
    with ExitStack() as cleanup:
        sink = cleanup.enter_context(listening())
        world = World(kafka, postgres, prefix)
        cleanup.callback(world.drop)
        named = {"PROFUSE_KAFKA": kafka, "PROFUSE_POSTGRES": postgres, "PROFUSE_PREFIX": prefix}
        stack = Stack(named | _HURRIED | {"PROFUSE_SMTP": f"smtp://127.0.0.1:{sink.port}"}, world, sink, directory, replicas=1)
        cleanup.callback(stack.stop)
        stack.start()
        yield stack
