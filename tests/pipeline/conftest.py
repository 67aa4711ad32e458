"""Whole pipelines on the run's servers; a test sees them from outside only."""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from profuse.torture import blocks
from tests.pipeline.collector import Collector, collecting
from tests.pipeline.processes import run
from tests.pipeline.sink import listening
from tests.pipeline.stack import Stack
from tests.pipeline.world import World


@contextmanager
def _stack(servers: tuple[str, str], directory: Path, *, replicas: int, **settings: str) -> Iterator[Stack]:
    kafka, postgres = servers
    prefix = f"t{secrets.token_hex(6)}"
    with ExitStack() as cleanup:
        sink = cleanup.enter_context(listening())
        world = World(kafka, postgres, prefix)
        cleanup.callback(world.drop)
        environment = {
            "PROFUSE_KAFKA": kafka,
            "PROFUSE_POSTGRES": postgres,
            "PROFUSE_SMTP": f"smtp://127.0.0.1:{sink.port}",
            "PROFUSE_PREFIX": prefix,
            "PROFUSE_PARTITIONS": "4",
        }
        stack = Stack(environment | settings, world, sink, directory, replicas=replicas)
        cleanup.callback(stack.stop)
        stack.start()
        yield stack

        assert stack.stop() == [0] * len(stack.processes)
        assert "Traceback" not in stack.logs()


@pytest.fixture(scope="package")
def pipeline(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One process of each room, for everybody who breaks nothing."""
    with _stack(servers, tmp_path_factory.mktemp("pipeline"), replicas=1) as stack:
        yield stack


@pytest.fixture(scope="package")
def _replicas(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Short patience with the silent, and small steps, so that a batch has a middle to be hit in.
    hurried = {"PROFUSE_SESSION_TIMEOUT": "PT6S", "PROFUSE_LEASE": "PT3S", "PROFUSE_CHUNK": "250", "PROFUSE_PAGE": "25"}
    with _stack(servers, tmp_path_factory.mktemp("replicas"), replicas=2, **hurried) as stack:
        yield stack


@pytest.fixture
def replicas(_replicas: Stack) -> Stack:
    """Two matchers and two launchers to be killed and frozen; whole again for each test."""
    _replicas.heal()
    return _replicas


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def _traced(servers: tuple[str, str], tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Stack]:
    # No request that does not ask for it, so that a test sees nobody's traces but its own.
    directory = tmp_path_factory.mktemp("traced")
    with _stack(servers, directory, replicas=1, PROFUSE_TRACES=collector.url, PROFUSE_TRACES_RATIO="0") as stack:
        (directory / "shop.toml").write_text(_shop(f"{collector.url}/shop"))
        run(["apply", str(directory / "shop.toml")], stack.environment)
        yield stack


@pytest.fixture
def traced(_traced: Stack) -> Stack:
    """One process of each room, whose spans the collector gets; whole again for each test."""
    _traced.heal()
    return _traced


def _shop(url: str) -> str:
    """A trigger that leaves by HTTP."""
    secret = "whsec_cHJvZnVzZS1kZW1vLXByb2Z1c2UtZGVtby1wcm9mdXNl"
    account = '[[accounts]]\nid = 1\nname = "demo"\n'
    return account + blocks.webhooks("shop", url, secret, "", 22, "Shop", '{"hello": "{lead._fname}"}')
