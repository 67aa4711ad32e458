"""Alarms fire on what they name, and whoever is woken finds what to do."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.programs import program

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALARMS: Mapping[str, Any] = {
    rule["alert"]: rule
    for file in sorted((PROMETHEUS / "alerts").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
}
SCENARIOS = sorted((PROMETHEUS / "tests").glob("*.yml"))


def promtool(*arguments: str) -> str:
    tool = program("promtool", "Debian's package `prometheus`, which `make tools` looks into")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_prometheus_takes_its_configuration_and_the_alarms() -> None:
    assert promtool("check", "config", str(PROMETHEUS / "prometheus.yml")) == ""


@pytest.mark.promise("P-WATCH-02")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.stem)
def test_alarms_fire_when_they_should_and_no_others_do(scenario: Path) -> None:
    assert promtool("test", "rules", str(scenario)) == ""


@pytest.mark.promise("P-WATCH-02")
@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_is_seen_to_fire(alarm: str) -> None:
    expected = [
        sample["labels"]
        for scenario in SCENARIOS
        for test in yaml.safe_load(scenario.read_text())["tests"]
        for look in test["promql_expr_test"]
        for sample in look["exp_samples"]
    ]

    assert any(f'"{alarm}"' in labels for labels in expected)


@pytest.mark.promise("P-WATCH-02")
def test_each_alarm_has_an_entry_in_the_runbook_and_each_entry_an_alarm() -> None:
    entries = re.findall(r"^### (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)

    assert entries == [*dict.fromkeys(entries)]
    assert set(entries) == set(ALARMS)


@pytest.mark.promise("P-WATCH-02")
@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_says_how_bad_it_is_what_it_is_and_where_to_read_on(alarm: str) -> None:
    rule = ALARMS[alarm]

    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{alarm.lower()}"
