"""The peers that are Python programs of ours, as they are started."""

import sys
from types import ModuleType

from bench.peers import consumer, core, orm
from bench.peers.feeding import Peer
from bench.run import Run


def by_orm(run: Run, processes: int) -> Peer:
    return _program(run, orm, "peer_orm_profiles", processes)


def by_core(run: Run, processes: int) -> Peer:
    return _program(run, core, "peer_core_profiles", processes)


def by_consumer(run: Run) -> Peer:
    return _program(run, consumer, "bench_floor", 1)


def _program(run: Run, module: ModuleType, table: str, processes: int) -> Peer:
    command = [sys.executable, "-m", module.__name__, run.settings.kafka, run.stack.postgres]
    return Peer(module.TOPIC, module.TOPIC, processes, table, module.create, [command] * processes)
