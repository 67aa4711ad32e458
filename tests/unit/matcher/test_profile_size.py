"""A profile has a bound, and what it takes up is found out without writing all of it for each item."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.item_errors import ItemFailed
from workers.matcher import profile as measuring
from workers.matcher.batches import Database
from workers.matcher.bounds import LARGEST_PROFILE
from workers.matcher.profile import Profile

DATABASE = Database(1, "reject", {}, {}, (), ())
# What Postgres gives back as 309 digits.
HUGE = 1e308


def new() -> Profile:
    return Profile(b"", DATABASE)


def is_taken(profile: Profile, changes: dict[str, Any], subscriptions: list[Any]) -> bool:
    """As an item that sets these fields, and gives the subscriptions anew if they are others."""
    changed = changes.keys() | ({"subscriptions"} if subscriptions != profile.subscriptions else set())
    try:
        profile.become(profile.data | changes, subscriptions, changed)
    except ItemFailed:
        return False
    return True


@pytest.mark.promise("P-DATA-32")
@pytest.mark.parametrize(
    ("data", "subscriptions"),
    [
        ({"a": "x" * 2**20}, []),
        ({"a": "é" * 2**19}, []),
        ({"a": [HUGE] * 4_000}, []),
        ({}, [{}] * 1_001),
        ({"a": "x" * 10**6}, [{"a": "x" * 60_000}]),
    ],
)
def test_a_profile_has_a_bound_as_it_is_stored(data: Any, subscriptions: Any) -> None:
    profile = new()

    assert not is_taken(profile, data, subscriptions)
    assert (profile.data, profile.subscriptions) == ({}, [])
    assert is_taken(profile, {"a": "x" * 1_000_000}, [])


# What a value is made of, and how often: the values themselves would be too long to be shown.
MADE_OF: dict[str, Any] = {"text": "x", "escaped": '"', "letters": "é", "control": "\x01", "numbers": [HUGE]}
TIMES = st.sampled_from([0, 50, 900, 3_000, 20_000, 300_000, 800_000, LARGEST_PROFILE - 60])
VALUES = st.tuples(st.sampled_from(sorted(MADE_OF)), TIMES)
CHANGES = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=2)
SUBSCRIPTIONS = st.sampled_from([None, 1, 200_000])


@pytest.mark.promise("P-DATA-32")
# The machine may have other work.
@settings(deadline=None)
@given(st.lists(st.tuples(CHANGES, SUBSCRIPTIONS), max_size=8))
def test_an_item_passes_if_and_only_if_it_would_pass_alone(items: list[tuple[dict[str, tuple[str, int]], int | None]]) -> None:
    """The profile that each one finds being measured anew."""
    profile = new()
    for made, length in items:
        changes = {name: MADE_OF[of] * (min(times, 5_000) if of == "numbers" else times) for name, (of, times) in made.items()}
        subscriptions = [] if length is None else [{"ip": "x" * length}]
        alone = new()
        alone.data, alone.subscriptions = profile.data, profile.subscriptions

        assert is_taken(profile, changes, subscriptions) == is_taken(alone, changes, subscriptions)
        assert profile.written() == alone.written()


@pytest.mark.promise("P-DATA-32")
def test_numbers_that_are_short_as_long_as_there_are_few_others_count_as_what_they_become() -> None:
    profile = new()

    assert is_taken(profile, {"a": [HUGE] * 900}, [])
    assert not is_taken(profile, {"b": "x" * 800_000}, [])


@pytest.mark.promise("P-DATA-32")
def test_subscriptions_count_beside_data_that_was_measured_before() -> None:
    profile = new()

    assert is_taken(profile, {"a": "x" * 900_000}, [])
    assert not is_taken(profile, {}, [{"ip": "x" * 200_000}])


@pytest.mark.promise("P-OPS-50")
def test_many_items_that_change_little_of_a_large_profile_measure_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []

    def counted(*given: Any) -> Any:
        measured.append(1)
        return measure(*given)

    measure = measuring._measured
    monkeypatch.setattr(measuring, "_measured", counted)
    profile = new()
    assert is_taken(profile, {"large": "x" * 800_000}, [])
    for number in range(10_000):
        assert is_taken(profile, {"n": number}, [])

    assert len(measured) == 1
