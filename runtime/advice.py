"""What the operator is told to do about a server that is full or away."""

import asyncpg

_GOES_ON = "nothing is lost, and work goes on by itself"

POSTGRES_FULL = f"Postgres has no room left on its disk: make room there; {_GOES_ON}"
POSTGRES_READ_ONLY = (
    f"Postgres takes no writes, as a standby does, or one that was set read-only: see where PROFUSE_POSTGRES leads, and why; {_GOES_ON}"
)
_START = "start it, or set PROFUSE_{}; see that its disk has room, because a full one stops it; " + _GOES_ON
POSTGRES_AWAY = "Postgres does not answer: " + _START.format("POSTGRES")
KAFKA_AWAY = "Kafka does not answer: " + _START.format("KAFKA")

# By SQLSTATE.
_TOLD = {"53100": POSTGRES_FULL, "25006": POSTGRES_READ_ONLY}


def away(server: str, error: Exception) -> str:
    """For /readyz, about a server that was asked."""
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return POSTGRES_READ_ONLY
    return f"{server} does not answer ({type(error).__name__}): start it, or set PROFUSE_{server.upper()}"


def todo(error: Exception) -> dict[str, str]:
    """For a log line about a statement that failed; nothing where the server is well and refuses it."""
    state: str | None = getattr(error, "sqlstate", None)
    if state in _TOLD:
        return {"todo": _TOLD[state]}
    # Without a state no server spoke; 57 is one that stops or starts, 08 a connection that ended.
    return {"todo": POSTGRES_AWAY} if state is None or state[:2] in ("57", "08") else {}
