"""Stored data under the declarations of today: what fits, what it is found by, and its spelling."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fields import Field
from schemas.identities import identities_of, tagged
from schemas.stored import fitting, renewed

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)
TYPES = ["int", "string", "date", "ip", "enum", "tags"]


def field(type_: str) -> Field:
    return Field.model_validate({"type": type_, "match": True} | ({"options": ["free", "pro"]} if type_ == "enum" else {}))


@pytest.mark.promise("P-DATA-27")
@pytest.mark.parametrize("type_", TYPES)
@given(JSON)
def test_no_stored_value_fails_its_profile(type_: str, stored: Any) -> None:
    found = identities_of({"x": field(type_)}, {"x": stored}, [])

    assert len(found) <= 1 or type_ == "tags"


@pytest.mark.promise("P-DATA-27")
@pytest.mark.parametrize(
    ("type_", "stored"),
    [
        ("enum", 1),
        ("int", "about 40"),
        ("string", {"a": 1}),
        ("date", "soon"),
        ("ip", "home"),
        ("tags", [1, 2]),
    ],
)
def test_a_value_that_no_longer_fits_is_not_searched_by(type_: str, stored: Any) -> None:
    assert fitting(field(type_), stored) is None
    assert identities_of({"x": field(type_)}, {"x": stored}, []) == set()


@pytest.mark.promise("P-DATA-27")
def test_an_option_that_was_retired_does_not_fit_and_stays_filed_for_the_case_that_it_comes_back() -> None:
    again = Field.model_validate({"type": "enum", "match": True, "options": ["free", "legacy"]})

    assert fitting(field("enum"), "legacy") is None
    assert identities_of({"x": field("enum")}, {"x": "legacy"}, []) == identities_of({"x": again}, {"x": "legacy"}, []) != set()


@pytest.mark.promise("P-DATA-27")
@pytest.mark.parametrize(
    ("type_", "kept", "given"),
    [("int", "42", 42), ("string", "L-1", "L-1"), ("date", "2026-01-01T03:00:00+03:00", "2026-01-01T00:00:00Z"), ("enum", "pro", "pro")],
)
def test_what_was_kept_and_fits_is_found_as_if_it_were_imported_now(type_: str, kept: Any, given: Any) -> None:
    found = identities_of({"x": field(type_)}, {"x": kept}, [])

    assert found == identities_of({"x": field(type_)}, {"x": given}, []) != set()


@pytest.mark.promise("P-MATCH-22")
def test_a_tag_with_a_comma_is_filed_as_one() -> None:
    filed = identities_of({"x": field("tags")}, {"x": ["Ham, smoked", "b"]}, [])

    assert filed == {*tagged("x", ["Ham, smoked", "b"])}
    assert filed.isdisjoint(tagged("x", ["Ham", "smoked"]))


STORED: list[tuple[str, Any, Any]] = [
    ("date", "2026-01-01T03:00:00.12345678+03:00", "2026-01-01T00:00:00.123456Z"),
    ("date", "2026-01-01", "2026-01-01"),
    ("date", "soon", "soon"),
    ("date", 5, 5),
    ("ip", "::ffff:192.0.2.1", "192.0.2.1"),
    ("tags", ["e\u0301", "\u00e9", "a, b"], ["\u00e9", "a, b"]),
    ("tags", "a, b", "a, b"),
    ("enum", "1", "1"),
    ("string", "e\u0301", "e\u0301"),
]


@pytest.mark.promise("P-DATA-27")
def test_stored_data_is_spelled_anew_and_what_does_not_fit_is_left() -> None:
    fields = {f"f{at}": field(type_) for at, (type_, *_) in enumerate(STORED)}
    data = {f"f{at}": before for at, (_, before, _) in enumerate(STORED)}
    now = renewed(
        fields, {**data, "_bdate": "1815-12-10T00:00:00+03:00", "_regip": "::ffff:192.0.2.1", "_sex": "male", "_status": 1, "x": [1]}
    )

    assert now == {
        **{f"f{at}": after for at, (*_, after) in enumerate(STORED)},
        "_bdate": "1815-12-10",
        "_regip": "192.0.2.1",
        "_sex": "male",
        "_status": 1,
        "x": [1],
    }


@given(st.dictionaries(st.sampled_from([*TYPES, "_bdate", "_ip", "_sex", "email", "x"]), JSON))
def test_what_is_spelled_anew_stays_so(data: dict[str, Any]) -> None:
    fields = {type_: field(type_) for type_ in TYPES}
    once = renewed(fields, data)

    assert renewed(fields, once) == once
