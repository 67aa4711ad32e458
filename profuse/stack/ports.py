"""Loopback ports that nobody uses, or is about to."""

import os
import random
import socket
from itertools import chain

LOOPBACK = "127.0.0.1"

# Below the range that outgoing connections are given, so that a remembered port is still free at the next start.
_CANDIDATES = range(15_000, 30_000)
# So many are held, which is more than a stack finds before it listens there.
_HELD = 64
_ours: dict[int, int] = {}


def take(port: int) -> bool:
    """Whether nobody listens there, nor has taken it; others who look for one are given others while this process lives."""
    return (port in _ours or _reserve(port)) and _is_silent(port)


def free_port() -> int:
    beginning = random.choice(_CANDIDATES)  # noqa: S311  # no secret
    return next(port for port in chain(range(beginning, _CANDIDATES.stop), _CANDIDATES) if port not in _ours and take(port))


def reachable(host: str) -> str:
    """Where a server that listens on `host` is reached from here."""
    return LOOPBACK if host in ("", "0.0.0.0", "::") else host  # noqa: S104  # compared, not listened on


def _reserve(port: int) -> bool:
    """By the UDP port of the same number, which nothing here uses, and which is given back when this process ends, however."""
    reservation = socket.socket(type=socket.SOCK_DGRAM)
    try:
        reservation.bind((LOOPBACK, port))
    except OSError:
        reservation.close()
        return False
    _ours[port] = reservation.detach()
    if len(_ours) > _HELD:
        os.close(_ours.pop(next(iter(_ours))))
    return True


def _is_silent(port: int) -> bool:
    with socket.socket() as probe:
        # A connection that lingers in TIME_WAIT does not keep a server from listening again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
