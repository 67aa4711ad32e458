"""Programs that some tests take and no package list brings; where one is missing, the end of the run says what was not shown."""

import os
import shutil
import sys
from pathlib import Path

import pytest

# Where `make tools` puts them.
_TOOLS = Path(sys.prefix) / "tools" / "bin"

_missing: dict[str, str] = {}


def program(name: str, comes_with: str = "`make tools`") -> str:
    """Its path; without it the test is skipped."""
    found = shutil.which(name, path=os.pathsep.join((str(_TOOLS), os.environ.get("PATH", os.defpath))))
    if found is None:
        _missing[name] = comes_with
        pytest.skip(f"{name} is not installed; it comes with {comes_with}")
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _missing:
        terminalreporter.section("NOT SHOWN HERE")
        for name, comes_with in _missing.items():
            terminalreporter.line(f"{name} is not installed, so its tests were skipped; it comes with {comes_with}")
