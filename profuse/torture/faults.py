"""What can happen to a stack: one function each, which returns when the fault itself is over."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import asyncpg

from profuse.stack.process_identity import process_of
from profuse.torture.ground import COUNTS, LEASE, SESSION, Ground, is_healthy
from profuse.torture.sockets import cut
from runtime.postgres import SILENT

Fault = Callable[[Ground], Awaitable[None]]

_ROOMS = ("gateway", "matcher", "launcher")
_READY_WITHIN = 30.0


async def kill_gateway(ground: Ground) -> None:
    ground.signal(ground.victim("gateway"), signal.SIGKILL)


async def kill_matcher(ground: Ground) -> None:
    ground.signal(ground.victim("matcher"), signal.SIGKILL)


async def kill_launcher(ground: Ground) -> None:
    ground.signal(ground.victim("launcher"), signal.SIGKILL)


async def kill_mail_sink(ground: Ground) -> None:
    ground.signal(ground.victim("mail-sink"), signal.SIGKILL)


async def kill_broker(ground: Ground) -> None:
    await _strike(ground, "kafka", signal.SIGKILL)


async def kill_postgres(ground: Ground) -> None:
    await _strike(ground, "postgres", signal.SIGKILL)


async def restart_broker(ground: Ground) -> None:
    await _strike(ground, "kafka", signal.SIGTERM)


async def restart_postgres(ground: Ground) -> None:
    # Fast shutdown, as an operator does it.
    await _strike(ground, "postgres", signal.SIGINT)


async def freeze_gateway(ground: Ground) -> None:
    await _freeze(ground, "gateway")


async def freeze_matcher(ground: Ground) -> None:
    await _freeze(ground, "matcher")


async def freeze_launcher(ground: Ground) -> None:
    await _freeze(ground, "launcher")


async def drop_postgres_connections(ground: Ground) -> None:
    """About half of all of them."""
    try:
        connection = await asyncpg.connect(ground.state.postgres, timeout=5)
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND random() < $1", ground.random.random()
        )
        await connection.close()
    except SILENT:
        # It goes down by another fault, and every connection with it.
        return


async def drop_broker_connections(ground: Ground) -> None:
    """All of one process."""
    victim = ground.victim(*_ROOMS)
    process = None if victim is None else process_of(victim.identity)
    if process is not None:
        await asyncio.to_thread(cut, process, urlsplit(f"//{ground.state.kafka}").port or 0)


async def change_replicas(ground: Ground) -> None:
    await ground.up({room: ground.random.randint(1, count + 1) for room, count in COUNTS.items()})
    await ground.up(COUNTS)


async def rolling_restart(ground: Ground) -> None:
    """Every process of the rooms, each after the one before it is ready again."""
    for process in ground.processes(*_ROOMS):
        ground.signal(process, signal.SIGTERM)
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            new = [each for each in ground.processes(process.room) if each.name == process.name and each.identity != process.identity]
            if new and await is_healthy(new[0]):
                break
            await asyncio.sleep(0.1)


async def _strike(ground: Ground, room: str, number: signal.Signals) -> None:
    """End a server; the fault lasts until it has returned."""
    victim = ground.victim(room)
    ground.signal(victim, number)
    await ground.returned(room, None if victim is None else victim.identity.pid)


async def _freeze(ground: Ground, room: str) -> None:
    """For longer than its session and its leases last."""
    victim = ground.victim(room)
    ground.signal(victim, signal.SIGSTOP)
    await asyncio.sleep(max(LEASE, SESSION) * ground.random.uniform(1.2, 1.8))
    ground.signal(victim, signal.SIGCONT)


FAULTS: Mapping[str, Fault] = {
    "kill -9 a gateway": kill_gateway,
    "kill -9 a matcher": kill_matcher,
    "kill -9 a launcher": kill_launcher,
    "kill -9 the mail sink": kill_mail_sink,
    "kill -9 the broker": kill_broker,
    "kill -9 Postgres": kill_postgres,
    "restart the broker": restart_broker,
    "restart Postgres": restart_postgres,
    "freeze a gateway": freeze_gateway,
    "freeze a matcher": freeze_matcher,
    "freeze a launcher": freeze_launcher,
    "drop Postgres connections": drop_postgres_connections,
    "drop broker connections": drop_broker_connections,
    "change the replicas": change_replicas,
    "rolling restart": rolling_restart,
}
