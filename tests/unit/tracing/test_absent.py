"""What becomes of traces where their extra is not installed, or nobody wants them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROOMS = "ingest.starting, workers.matcher.room, workers.launcher.room, workers.hooks.room, profuse.console.room"

# None makes an import fail as if the package were not installed.
_BLOCKED = "import sys; sys.modules['opentelemetry'] = None; "
_START = "from runtime import tracing; from schemas.settings import Settings; tracing.start('gateway', Settings())"


def python(script: str, **environment: str) -> str:
    """What it said at its end."""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    return done.stderr.strip()


@pytest.mark.promise("P-TRACE-10")
def test_traces_that_are_wanted_without_their_extra_are_refused_by_its_name() -> None:
    said = python(_BLOCKED + _START, PROFUSE_TRACES="http://collector:4318")

    assert said.splitlines()[-1].startswith(
        "runtime.errors.CannotRun: PROFUSE_TRACES needs the extra `traces`: pip install opentelemetry-sdk "
    )


@pytest.mark.promise("P-TRACE-10")
def test_a_process_says_so_in_one_line(tmp_path: Path) -> None:
    script = f"{_BLOCKED}sys.argv = ['profuse', 'gateway', '--dir', {str(tmp_path)!r}]; from profuse.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PROFUSE_TRACES": "http://collector:4318", "PROFUSE_KAFKA": "127.0.0.1:1", "PROFUSE_POSTGRES": "postgresql://127.0.0.1:1/p"},
    )

    assert done.returncode == 1
    assert "PROFUSE_TRACES needs the extra `traces`" in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.promise("P-TRACE-07")
def test_rooms_run_without_the_extra_and_do_not_load_it() -> None:
    assert python(f"{_BLOCKED}import {ROOMS}; {_START}; tracing.stop()") == ""
    assert python(f"import sys; import {ROOMS}; {_START}; sys.exit('opentelemetry' in sys.modules and 'it is loaded')") == ""
