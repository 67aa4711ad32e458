"""The stack's own processes as values: started by the same commands and variables as anywhere else."""

import sys
from pathlib import Path

from profuse.stack.child import Process
from profuse.stack.ports import reachable
from schemas.settings import Settings

_PROFUSE = (sys.executable, "-m", "profuse")


def room(name: str, command: str, settings: Settings, health_port: int) -> Process:
    """A gateway, a matcher, a launcher, or hooks."""
    return Process(
        name=name,
        room=command,
        command=(*_PROFUSE, command),
        url=f"http://{reachable(settings.host)}:{health_port}",
        environment=environment(settings, health_port),
        inherited=() if settings.socket_fd is None else (settings.socket_fd,),
    )


def mail_sink(settings: Settings, kept_in: Path, health_port: int) -> Process:
    return Process(
        name="mail-sink",
        room="mail-sink",
        command=(*_PROFUSE, "mail-sink", str(kept_in)),
        url=f"http://{reachable(settings.host)}:{health_port}",
        environment=environment(settings, health_port),
    )


def environment(settings: Settings, health_port: int) -> dict[str, str]:
    """What differs from our own environment."""
    variables = {
        "PROFUSE_KAFKA": settings.kafka,
        "PROFUSE_POSTGRES": settings.postgres,
        "PROFUSE_SMTP": settings.smtp,
        "PROFUSE_HEALTH_PORT": str(health_port),
    }
    return variables if settings.socket_fd is None else {**variables, "PROFUSE_SOCKET_FD": str(settings.socket_fd)}
