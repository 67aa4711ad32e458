"""The stack's own processes as values: started by the same commands and variables as anywhere else."""

import sys
from pathlib import Path

from profuse.stack.child import Process
from profuse.stack.ports import reachable
from schemas.settings import Settings

_PROFUSE = (sys.executable, "-m", "profuse")


def room(name: str, command: str, settings: Settings, health_port: int, directory: Path | None = None) -> Process:
    """A gateway, a matcher, a launcher, hooks, or a console, which shows the stack of its directory."""
    sockets = (settings.console_fd if command == "console" else settings.socket_fd,)
    variables = environment(settings, health_port)
    return Process(
        name=name,
        room=command,
        command=(*_PROFUSE, command),
        url=f"http://{reachable(settings.host)}:{health_port}",
        environment=variables if directory is None else {**variables, "PROFUSE_DIR": str(directory)},
        inherited=tuple(socket for socket in sockets if socket is not None),
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
    sockets = {"PROFUSE_SOCKET_FD": settings.socket_fd, "PROFUSE_CONSOLE_FD": settings.console_fd}
    return {
        "PROFUSE_KAFKA": settings.kafka,
        "PROFUSE_POSTGRES": settings.postgres,
        "PROFUSE_SMTP": settings.smtp,
        "PROFUSE_HEALTH_PORT": str(health_port),
        **{name: str(descriptor) for name, descriptor in sockets.items() if descriptor is not None},
    }
