"""What can happen to a stack: one function each, which returns when the fault itself is over, or one that makes such functions."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import asyncpg

from profuse.stack.process_identity import process_of
from profuse.torture.ground import COUNTS, LEASE, SESSION, Ground, Impossible, is_healthy
from profuse.torture.receiving.outlets import Mood
from profuse.torture.sockets import cut
from runtime.postgres import SILENT

Fault = Callable[[Ground], Awaitable[None]]

_ROOMS = tuple(COUNTS)
# Seconds.
_UPSET = (8.0, 16.0)
_READY_WITHIN = 30.0


def kill(room: str) -> Fault:
    async def killed(ground: Ground) -> None:
        ground.signal(ground.victim(room), signal.SIGKILL)

    return killed


def strike(room: str, number: signal.Signals) -> Fault:
    """End a server; the fault lasts until it has returned."""

    async def struck(ground: Ground) -> None:
        victim = ground.victim(room)
        ground.signal(victim, number)
        await ground.returned(room, None if victim is None else victim.identity.pid)

    return struck


def freeze(room: str) -> Fault:
    """For longer than its session and its leases last."""

    async def frozen(ground: Ground) -> None:
        victim = ground.victim(room)
        ground.signal(victim, signal.SIGSTOP)
        await asyncio.sleep(max(LEASE, SESSION) * ground.random.uniform(1.2, 1.8))
        ground.signal(victim, signal.SIGCONT)

    return frozen


def upset(mood: Mood) -> Fault:
    """Whoever gets webhooks and events."""

    async def upset_for_a_while(ground: Ground) -> None:
        if ground.receiver is None:
            raise Impossible("nobody gets webhooks")
        ground.receiver.be(mood)
        await asyncio.sleep(ground.random.uniform(*_UPSET))
        ground.receiver.be(Mood.WELL)

    return upset_for_a_while


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


FAULTS: Mapping[str, Fault] = {
    "kill -9 a gateway": kill("gateway"),
    "kill -9 a matcher": kill("matcher"),
    "kill -9 a launcher": kill("launcher"),
    "kill -9 hooks": kill("hooks"),
    "kill -9 the mail sink": kill("mail-sink"),
    "kill -9 the broker": strike("kafka", signal.SIGKILL),
    "kill -9 Postgres": strike("postgres", signal.SIGKILL),
    "restart the broker": strike("kafka", signal.SIGTERM),
    # Fast shutdown, as an operator does it.
    "restart Postgres": strike("postgres", signal.SIGINT),
    "freeze a gateway": freeze("gateway"),
    "freeze a matcher": freeze("matcher"),
    "freeze a launcher": freeze("launcher"),
    "freeze hooks": freeze("hooks"),
    "the receiver answers 503": upset(Mood.REFUSES),
    "the receiver answers 429": upset(Mood.LIMITS),
    "the receiver hangs": upset(Mood.HANGS),
    "drop Postgres connections": drop_postgres_connections,
    "drop broker connections": drop_broker_connections,
    "change the replicas": change_replicas,
    "rolling restart": rolling_restart,
}
