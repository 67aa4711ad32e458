"""What a stack writes down, each file whole or not at all."""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from runtime.errors import CannotRun

T = TypeVar("T")


def read(file: Path, kind: TypeAdapter[T], todo: str) -> T | None:
    """None where there is none; raises `CannotRun` with what to do about a damaged one."""
    try:
        return kind.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise CannotRun(f"{file} is damaged: {todo}") from None


def replace(file: Path, text: str) -> None:
    """A reader sees the old text or the new one, never half of it, also after the machine has lost its power."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    with unfinished.open("w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    unfinished.replace(file)
