"""`profuse positions` beside real workers."""

import pytest

from tests.kafka.conftest import Bench
from tests.kafka.positions.operating import Run, run_apart


@pytest.fixture
def run(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("kafka", "postgres", "prefix"):
        monkeypatch.setenv(f"PROFUSE_{name.upper()}", getattr(bench.settings, name))
    return run_apart
