"""When CI is told that something has become slow."""

import json

from bench.alarm import RECORDED, Recorded, collapsed
from bench.run import Found
from bench.targets import TARGETS, Figure

_RECORDED: Recorded = {"new": {"ratio": 0.2}, "single": {"rate": 1.0, "alone": 3.0}}


def found(new: float, rate: float, alone: float) -> Found:
    return Found({"new": {"ratio": Figure(new, 1)}, "single": {"rate": Figure(rate, 1), "alone": Figure(alone, 1)}})


def test_half_of_what_it_was_is_no_alarm() -> None:
    assert collapsed(found(0.1, 0.5, 6.0), _RECORDED) == []


def test_less_than_half_is_one() -> None:
    assert collapsed(found(0.099, 0.5, 6.0), _RECORDED) == ["new"]


def test_what_should_be_small_may_only_double() -> None:
    assert collapsed(found(0.1, 0.5, 6.1), _RECORDED) == ["single"]


def test_what_was_not_measured_is_one() -> None:
    assert collapsed(Found(skipped={"new": "no", "single": "no"}), _RECORDED) == ["new", "single"]


def test_what_is_recorded_is_still_measured() -> None:
    recorded = json.loads(RECORDED.read_text())

    assert recorded
    for key, names in recorded.items():
        assert names.keys() == TARGETS[key].keys()
