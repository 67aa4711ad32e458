"""Every setting in words: name, value and meaning."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from runtime.masking import masked
from schemas.settings import Settings

_HEADER = """\
# Every setting with its default: take the # away from what is to differ. Written by `profuse settings --env`.
# Nobody reads this file by itself: name it where processes are started (--env-file, env_file, EnvironmentFile).
"""


class Described(NamedTuple):
    variable: str
    value: str
    meaning: str


def described(settings: Settings) -> list[Described]:
    """Without passwords."""
    return [Described(variable, masked(_text(value)), meaning) for variable, value, meaning in _fields(settings)]


def example() -> str:
    """The text of `.env.example`."""
    # Not `Settings()`, which reads this machine's environment.
    lines = (f"\n# {meaning}\n#{variable}={_text(value)}\n" for variable, value, meaning in _fields(Settings.model_construct()))
    return f"{_HEADER}{''.join(lines)}"


def _fields(settings: Settings) -> Iterator[tuple[str, Any, str]]:
    values = settings.model_dump(mode="json")
    for name, field in Settings.model_fields.items():
        yield f"PROFUSE_{name.upper()}", values[name], field.description or ""


def _text(value: Any) -> str:
    """As the variable would be written."""
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
