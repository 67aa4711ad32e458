"""A torture that somebody ends before its time."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from profuse.stack import process_identity


@pytest.mark.timeout(120)
@pytest.mark.promise("P-OPS-21")
def test_its_stack_does_not_outlive_it() -> None:
    command = [sys.executable, "-m", "profuse", "torture", "--minutes", "5"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as torture:
        assert torture.stderr is not None
        directory = next(found[0] for line in torture.stderr if (found := re.findall(r"mail: (.+?)/mail,", line)))
        running = process_identity.supervised(Path(directory))
        torture.send_signal(signal.SIGTERM)
        told = torture.stderr.read()

    shutil.rmtree(Path(directory).parent)

    assert running is not None
    assert torture.returncode == 130
    assert "Interrupted" in told
    assert process_identity.process_of(running.supervisor) is None
    assert [each.name for each in running.processes if process_identity.process_of(each.identity)] == []
