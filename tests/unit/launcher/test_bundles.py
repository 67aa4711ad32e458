"""Which claimed groups go together."""

from dataclasses import replace
from typing import Any

import pytest

from tests.launching import claimed
from workers.launcher.claim.bundles import bundles

_ODD: list[dict[str, Any]] = [
    {"claims": 2},
    {"outbox": b"told by nobody"},
    {"doomed": "its message could not be read"},
    {"late": -1.0},
    {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    {"has_files": True},
    {"is_spread": True},
]


def test_small_ones_of_a_lane_go_together_as_far_as_a_page_goes() -> None:
    one, two, three = claimed(first=0), claimed(2, first=1), claimed(first=3)

    assert list(bundles([one, two, three], 3)) == [[one, two], [three]]


def test_one_that_is_larger_than_a_page_goes_alone() -> None:
    small, other, large = claimed(first=0), claimed(first=1), claimed(9, first=2)

    assert list(bundles([small, other, large], 3)) == [[small, other], [large]]


def test_lanes_stay_apart() -> None:
    ours, again, theirs, later = claimed(first=0), claimed(first=1), claimed(first=0, account=2), claimed(first=0, trigger=2)

    assert list(bundles([ours, theirs, later, again], 9)) == [[ours, again], [theirs], [later]]


@pytest.mark.promise("P-LAUNCH-26")
@pytest.mark.parametrize("odd", _ODD, ids=lambda odd: next(iter(odd)))
def test_what_is_odd_goes_alone(odd: dict[str, Any]) -> None:
    one, other, strange = claimed(first=0), claimed(first=1), replace(claimed(first=2), **odd)

    assert list(bundles([one, strange, other], 9)) == [[strange], [one, other]]
