"""Loopback ports that nobody uses."""

import random
import socket
from itertools import chain

LOOPBACK = "127.0.0.1"

# Below the range that outgoing connections are given, so that a remembered port is still free at the next start.
_CANDIDATES = range(15_000, 30_000)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A connection that lingers in TIME_WAIT does not keep a server from listening again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    beginning = random.choice(_CANDIDATES)  # noqa: S311  # no secret
    return next(port for port in chain(range(beginning, _CANDIDATES.stop), _CANDIDATES) if is_free(port))


def reachable(host: str) -> str:
    """Where a server that listens on `host` is reached from here."""
    return LOOPBACK if host in ("", "0.0.0.0", "::") else host  # noqa: S104  # compared, not listened on
