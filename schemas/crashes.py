"""Places at which a test lets a process die: PROFUSE_CRASH_AT names one, and without it they do nothing."""

import os
import signal

_AT = os.environ.get("PROFUSE_CRASH_AT")


def _die(name: str) -> None:
    if name == _AT:
        os.kill(os.getpid(), signal.SIGKILL)


def _live(name: str) -> None:
    """Nobody wants this process to die."""


crash_point = _die if _AT else _live
