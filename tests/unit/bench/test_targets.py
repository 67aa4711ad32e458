"""How far a figure is from its target."""

import pytest

from bench.targets import TARGETS, Target, Verdict

_MORE = Target("", "", must=0.2, goal=0.3)
_LESS = Target("", "", must=10, goal=5, at_most=True)


@pytest.mark.parametrize(("value", "verdict"), [(0.3, Verdict.GOAL), (0.2, Verdict.MUST), (0.199, Verdict.MISSED)])
def test_a_ratio_must_be_reached(value: float, verdict: Verdict) -> None:
    assert _MORE.verdict(value) is verdict


@pytest.mark.parametrize(("value", "verdict"), [(5, Verdict.GOAL), (10, Verdict.MUST), (10.1, Verdict.MISSED)])
def test_a_time_must_not_be_exceeded(value: float, verdict: Verdict) -> None:
    assert _LESS.verdict(value) is verdict


def test_what_has_no_bound_is_only_shown() -> None:
    assert Target("", "").verdict(0) is Verdict.SHOWN


def test_a_goal_is_never_easier_than_the_bound() -> None:
    for target in [target for targets in TARGETS.values() for target in targets.values()]:
        if target.must is not None and target.goal is not None:
            assert target.verdict(target.goal) is Verdict.GOAL
            assert target.goal < target.must if target.at_most else target.goal > target.must
