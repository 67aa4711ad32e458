"""Cutting another process's connections, as a network does: neither side asked for it."""

import ctypes
import os
import socket

import psutil

from profuse.torture.ground import Impossible

# The same on every Linux machine (since 5.6); libc gives it no name.
_PIDFD_GETFD = 438


def cut(process: psutil.Process, port: int) -> int:
    """Shut down the process's connections to a port; returns how many. Raises `Impossible`."""
    try:
        ends = [each.fd for each in process.net_connections("tcp") if each.raddr and each.raddr.port == port]
        owner = os.pidfd_open(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return 0
    except (AttributeError, psutil.AccessDenied):
        raise Impossible("cutting the sockets of another process") from None
    try:
        return sum(_shut(owner, end) for end in ends)
    finally:
        os.close(owner)


def _shut(owner: int, end: int) -> bool:
    # Looked up by number, because an old libc has no function for it.
    ours = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, owner, end, 0)
    if ours < 0:
        if ctypes.get_errno() in (1, 38):
            raise Impossible("cutting the sockets of another process")
        return False
    with socket.socket(fileno=ours) as connection:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return False
    return True
