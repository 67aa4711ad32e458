"""A torture that fits into CI; `make torture` is the long one."""

import json
import subprocess
import sys

import pytest


@pytest.mark.timeout(600)
@pytest.mark.promise("P-OPS-21", "P-OPS-50")
def test_half_a_minute_of_faults_beside_a_hostile_account_loses_nothing_and_doubles_nothing() -> None:
    command = [sys.executable, "-m", "profuse", "torture", "--minutes", "0.5", "--seed", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    report = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert (report["lost"], report["doubled"], report["wrong"]) == (0, 0, 0)
    assert report["items"] > 0
    assert report["replayed"] > 0
    assert report["hostile_items"] > 0
    assert report["polite_answers"]
    assert sum(report["faults"].values()) > 0
