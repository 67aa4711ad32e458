"""Which JSON values are the same, and the one spelling that those have."""

import time
from itertools import islice, product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.fields import Field
from schemas.same import canonical, same
from workers.matcher import updates

# Where Python, JSON, floats and Postgres' numbers part: equal, nearly equal, or of one hash.
SMALL = [None, True, False, "", "1", "true", 0, 0.0, -0.0, 1, 1.0, -1, -2, -1.0, 0.1, 5e-324]
LARGE = [2**53, 2.0**53, 2**53 + 1, 2**70, 2.0**70, 1180591620717411300000, 10**23, 10**23 - 1, 1e23, 10**308, 1e308, 10**400]
LEAVES = st.sampled_from([*SMALL, *LARGE])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=4,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from("ab"), JSON, max_size=2), max_size=6)


@given(JSON, JSON)
@example([1.0, {"a": 1, "b": -0.0}], [1, {"b": 0, "a": 1.0}])
def test_what_is_the_same_has_one_spelling_and_nothing_else_has_it(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == same(one, other)


@given(JSON, JSON, JSON)
@example(10**23, 1e23, 10**23 - 1)
def test_what_is_the_same_as_one_value_is_the_same(one: Any, other: Any, third: Any) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)
    assert not (same(one, other) and same(other, third)) or same(one, third)


@pytest.mark.promise("P-DATA-21")
@given(OBJECTS, OBJECTS)
def test_of_stored_objects_those_go_that_are_the_same_as_one_that_is_given(stored: Any, gone: Any) -> None:
    delete = updates.read("delete", {"action": "delete", "value": gone}, Field.model_validate("arr_object"))

    assert str(delete.applied(stored)) == str([each for each in stored if not any(same(each, one) for one in gone)])


@pytest.mark.promise("P-OPS-35")
@pytest.mark.parametrize(
    "crafted",
    [
        # Python hashes both numbers alike, and so whatever differs in nothing else.
        [{"k": list(numbers)} for numbers in islice(product((-1, -2), repeat=13), 8_000)],
        # One float for all.
        [{"n": 10**30 + number} for number in range(8_000)],
    ],
    ids=["one hash", "one float"],
)
def test_objects_that_are_made_to_look_alike_are_deleted_as_fast_as_others(crafted: list[Any]) -> None:
    """Each beside each took 20 s."""
    delete = updates.read("delete", {"action": "delete", "value": crafted[:2_000]}, Field.model_validate("arr_object"))
    began = time.thread_time()
    left = delete.applied(crafted)

    assert left == crafted[2_000:]
    assert time.thread_time() - began < 2
