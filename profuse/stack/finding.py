"""How a command finds the stack that it works on."""

import os
from pathlib import Path

from profuse.stack import state
from runtime.errors import CannotRun
from schemas.settings import Settings


def directory_of(given: Path | None) -> Path:
    """`--dir`, else PROFUSE_DIR, else `.profuse`; raises `CannotRun` if that is a file."""
    found = (given or Path(os.environ.get("PROFUSE_DIR") or ".profuse")).resolve()
    if found.exists() and not found.is_dir():
        raise CannotRun(f"{found} is no directory: name the stack's own by --dir or PROFUSE_DIR.")
    return found


def settings_of(given: Path | None) -> Settings:
    """The addresses of the stack that runs in a directory; PROFUSE_* variables win, and are enough."""
    directory = directory_of(given)
    running = state.read(directory)
    if running is None:
        if "PROFUSE_POSTGRES" not in os.environ:
            raise CannotRun(f"No stack runs in {directory}: start it with `profuse up`, or set PROFUSE_KAFKA and PROFUSE_POSTGRES.")
        return Settings()
    found = running.model_dump(include={"kafka", "postgres", "smtp"})
    return Settings(**{name: value for name, value in found.items() if f"PROFUSE_{name.upper()}" not in os.environ})
