"""Numbers out of range are refused before anything is sent."""

from datetime import timedelta
from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from profuse_client import Limits, Options

NO_COUNTS = [0, -1, 2.5, nan, inf, "4", None]
NO_NUMBERS = ["600", None, timedelta(minutes=10), Decimal("NaN")]


@pytest.mark.parametrize("number", NO_COUNTS)
def test_so_many_requests_at_a_time_are_none(number: Any) -> None:
    with pytest.raises(ValueError, match="parallel: must be a whole number from 1"):
        Options(parallel=number)


@pytest.mark.parametrize("name", ["profiles", "bytes", "bytes_with_files"])
@pytest.mark.parametrize("number", NO_COUNTS)
def test_nothing_fits_into_such_a_request(name: str, number: Any) -> None:
    with pytest.raises(ValueError, match=f"{name}: must be a whole number from 1"):
        Limits(**{name: number})


@pytest.mark.parametrize("number", [0, -0.5, nan, inf, *NO_NUMBERS])
def test_nothing_is_answered_within_such_a_time(number: Any) -> None:
    with pytest.raises(ValueError, match="answered_within: must be a number of seconds above 0"):
        Options(answered_within=number)


@pytest.mark.parametrize("number", [-0.5, nan, *NO_NUMBERS])
def test_nobody_is_so_patient(number: Any) -> None:
    with pytest.raises(ValueError, match="patience: must be a number of seconds from 0"):
        Options(patience=number)


def test_the_least_and_the_most_patient_are_options() -> None:
    assert [Options(patience=0, answered_within=0.1).patience, Options(patience=inf).patience] == [0, inf]
