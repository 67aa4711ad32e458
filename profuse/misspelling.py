"""Finds variables of the environment that look like settings and are none: a typo would else leave a default in force, unnoticed."""

import difflib
import re
from collections.abc import Mapping

from schemas.settings import Settings

_PREFIX = "PROFUSE_"
# What is read from the environment by others than the settings.
_BESIDE = ("PROFUSE_DIR", "PROFUSE_TOKEN", "PROFUSE_CRASH_AT", "PROFUSE_CRASH_BY")
# What Kubernetes tells every container of services whose names begin like ours.
_OF_A_SERVICE = re.compile(r"_SERVICE_(HOST|PORT)|_PORT_\d+_(TCP|UDP)|=(tcp|udp)://")


def misspelled(environment: Mapping[str, str]) -> list[str]:
    """A line for each variable that nobody reads."""
    known = [*(_PREFIX + name.upper() for name in Settings.model_fields), *_BESIDE]
    return [
        _told(name, known)
        for name, value in sorted(environment.items())
        if name.upper().startswith(_PREFIX) and name.upper() not in known and not _OF_A_SERVICE.search(f"{name}={value}")
    ]


def _told(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.upper(), known, n=1)
    return f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ": `profuse settings` shows all of them")
