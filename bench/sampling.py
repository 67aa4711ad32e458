"""What a stack takes up at a moment: memory by process, what is behind, tables, the broker's disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from profuse.stack import state
from profuse.stack.finding import settings_of
from profuse.stack.process_identity import process_of
from profuse.torture.recovery import Watch
from schemas.settings import MIB

_DUE = "SELECT coalesce(extract(epoch FROM now() - min(run_at)), 0)::float8 FROM launches WHERE finished_at IS NULL AND run_at <= now()"
_PENDING = "SELECT count(*) FROM launches WHERE finished_at IS NULL"
_TABLES = """
    SELECT relname, pg_table_size(relid) AS table, pg_indexes_size(relid) AS indexes, n_live_tup AS live, n_dead_tup AS dead,
      autovacuum_count AS vacuums
    FROM pg_stat_user_tables WHERE schemaname = $1 ORDER BY relname
"""


@dataclass(frozen=True)
class Table:
    """Sizes in bytes; live and dead rows are estimates of Postgres'."""

    table: int
    indexes: int
    live: int
    dead: int
    vacuums: int


@dataclass(frozen=True)
class Sample:
    """Memory in MiB, the broker's disk in bytes, `late` in seconds; None for what a server that is away does not tell."""

    memory: dict[str, float]
    broker_disk: int
    lag: int | None
    late: float | None
    pending: int | None
    tables: dict[str, Table]


async def sample(directory: Path, watch: Watch, *, tables: bool = True) -> Sample:
    seen = await watch.look()
    memory, disk = dict(_memory(directory)), _disk(directory / "kafka")
    if seen is None or not tables:
        return Sample(memory, disk, None if seen is None else seen.lag(), None, None, {})
    settings = settings_of(directory)
    connection = await asyncpg.connect(settings.postgres, timeout=5, server_settings={"search_path": settings.prefix})
    try:
        rows = await connection.fetch(_TABLES, settings.prefix)
        late, pending = await connection.fetchval(_DUE), await connection.fetchval(_PENDING)
    finally:
        await connection.close()
    sizes = {row["relname"]: Table(*list(row.values())[1:]) for row in rows}
    return Sample(memory, disk, seen.lag(), late, pending, sizes)


def _memory(directory: Path) -> Iterator[tuple[str, float]]:
    running = state.read(directory)
    for each in running.processes if running else ():
        process = process_of(each.identity)
        if process is not None:
            yield each.name, _resident(process) / MIB


def _resident(process: psutil.Process) -> int:
    """With children's; what they share counts once."""
    family = [process, *process.children(recursive=True)]
    if len(family) == 1:
        return int(process.memory_info().rss)
    total = 0
    for each in family:
        try:
            total += each.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def _disk(directory: Path) -> int:
    total = 0
    for file in directory.rglob("*"):
        try:
            total += file.stat().st_blocks * 512
        except FileNotFoundError:
            continue
    return total
