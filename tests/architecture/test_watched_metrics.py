"""Whatever names a metric, or a label of one, outside of the rooms names what is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

from schemas import metrics

ROOT = Path(__file__).parents[2]
FILES = [
    *(path for path in sorted((ROOT / "deploy").rglob("*")) if path.suffix in (".yml", ".yaml", ".json", ".tpl", ".txt")),
    *sorted((ROOT / "profuse/top").glob("*.py")),
]

# What Prometheus puts to every sample itself.
OF_THE_TARGET = {"job", "instance"}
# What alarms carry, where scenarios look at them.
OF_ALARMS = {"alertname", "alertstate", "severity"}

_NAMED = re.compile(r"\b((?:profuse|process|python)_[a-z0-9_]+)")
_SELECTOR = re.compile(r"\b(\w+)\{([^{}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\\?[\"']")
_GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^()]*)\)")
_TOLD = re.compile(r"\$labels\.(\w+)")


def _samples() -> Iterator[tuple[str, set[str]]]:
    """What a process exposes: the name of each sample, and its labels."""
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            (family,), labels = metric.describe(), set(metric._labelnames)
            if isinstance(metric, Histogram):
                yield from ((f"{family.name}_{part}", labels) for part in ("count", "sum"))
                yield f"{family.name}_bucket", labels | {"le"}
            else:
                yield f"{family.name}_total" if isinstance(metric, Counter) else family.name, labels


SAMPLES = dict(_samples())
# What Python's own collectors say of any process.
KNOWN = SAMPLES.keys() | {sample.name for family in REGISTRY.collect() for sample in family.samples}


@pytest.mark.promise("P-WATCH-03")
@pytest.mark.parametrize("file", FILES, ids=lambda each: str(each.relative_to(ROOT)))
def test_a_metric_that_is_named_exists(file: Path) -> None:
    assert set(_NAMED.findall(file.read_text())) - KNOWN == set()


@pytest.mark.promise("P-WATCH-03")
@pytest.mark.parametrize("file", FILES, ids=lambda each: str(each.relative_to(ROOT)))
def test_a_label_that_is_asked_for_is_one_of_its_metric(file: Path) -> None:
    asked = [(name, label) for name, labels in _SELECTOR.findall(file.read_text()) for label in _LABEL.findall(labels)]

    assert [each for each in asked if each[0] in SAMPLES and each[1] not in SAMPLES[each[0]] | OF_THE_TARGET] == []


@pytest.mark.promise("P-WATCH-03")
@pytest.mark.parametrize("file", FILES, ids=lambda each: str(each.relative_to(ROOT)))
def test_a_label_that_is_grouped_by_or_told_is_one_of_a_metric_of_its_page(file: Path) -> None:
    text = file.read_text()
    grouped = {label.strip() for group in _GROUPED.findall(text) for label in group.split(",") if label.strip()}
    known = set[str]().union(*(SAMPLES[name] for name in _NAMED.findall(text) if name in SAMPLES))

    assert (grouped | set(_TOLD.findall(text))) - known - OF_THE_TARGET - OF_ALARMS == set()
