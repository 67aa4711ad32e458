"""Places at which a test lets a process die or freeze: PROFUSE_CRASH_AT names one, and without it they do nothing."""

import os
import signal

_AT = os.environ.get("PROFUSE_CRASH_AT")
# The first time only: a process that was frozen here and let go again is to go on.
_SIGNALS = iter([signal.Signals[os.environ.get("PROFUSE_CRASH_BY", "SIGKILL")]])


def _strike(name: str) -> None:
    if name == _AT:
        for number in _SIGNALS:
            os.kill(os.getpid(), number)


def _live(name: str) -> None:
    """Nobody wants this process to die."""


crash_point = _strike if _AT else _live
