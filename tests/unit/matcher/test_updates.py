"""What a functional update makes of a stored value."""

from typing import Any

import pytest

from schemas.fields import Field
from schemas.item_errors import ItemFailed
from workers.matcher import updates
from workers.matcher.profile import overlaid

TYPES = {"int", "float", "tags", "object", "arr_object"}
DEEP = {"a": {"b": 1, "c": 2}}


def applied(type_: str, stored: Any, action: str, value: Any, submatch: str | None = None, *, match: bool = False) -> Any:
    field = Field.model_validate({"type": type_, "match": match})
    given = {"action": action, "value": value} | ({} if submatch is None else {"submatch": submatch})
    data, _ = overlaid({} if stored is None else {"f": stored}, {}, {"f": updates.read(action, given, field)})
    return data.get("f")


@pytest.mark.promise("P-DATA-21")
@pytest.mark.parametrize(
    ("type_", "stored", "action", "value", "submatch", "expected"),
    [
        ("int", 40, "incr", 2, None, 42),
        ("int", None, "incr", -5, None, -5),
        ("int", 1, "incr", "2", None, 3),
        ("int", 2**63 - 2, "incr", 1, None, 2**63 - 1),
        ("float", 0.5, "incr", 1, None, 1.5),
        ("float", None, "incr", "-0.25", None, -0.25),
        ("tags", ["a", "b"], "add", ["b", " c "], None, ["a", "b", "c"]),
        ("tags", None, "add", "x, y", None, ["x", "y"]),
        ("tags", ["a", "Ж"], "delete", ["Ж", "z"], None, ["a"]),
        ("tags", ["a"], "delete", ["a"], None, []),
        ("tags", None, "delete", ["a"], None, None),
        ("arr_object", [{"n": 1}], "add", [{"n": 1}, {"n": 2}], None, [{"n": 1}, {"n": 1}, {"n": 2}]),
        ("arr_object", [{"n": 1}, {"n": True}], "delete", [{"n": True}], None, [{"n": 1}]),
        (
            "arr_object",
            [{"n": 1.0}, {"n": True}, {"n": "1"}, {"n": [1]}],
            "delete",
            [{"n": 1}],
            None,
            [{"n": True}, {"n": "1"}, {"n": [1]}],
        ),
        # As Postgres gives a float back, and what no float is.
        ("arr_object", [{"n": 10**23}, {"n": 10**400}], "delete", [{"n": 1e23}], None, [{"n": 10**400}]),
        ("arr_object", [{"a": {"b": None, "c": [{}]}}], "delete", [{"a": {"c": [{}], "b": None}}], None, []),
        ("arr_object", None, "delete", [{"n": 1}], None, None),
        ("object", None, "upsert", "en", "lang", {"lang": "en"}),
        ("object", DEEP, "upsert", 3, "a.b", {"a": {"b": 3, "c": 2}}),
        ("object", {"a": 7}, "upsert", [], "a.b.c", {"a": {"b": {"c": []}}}),
        ("arr_object", [DEEP, {"x": 1}, {"a": 5}], "upsert", 9, "a.b", [{"a": {"b": 9, "c": 2}}, {"x": 1}, {"a": 5}]),
        ("arr_object", None, "upsert", 9, "a", None),
    ],
)
def test_an_update_changes_what_is_stored(type_: str, stored: Any, action: str, value: Any, submatch: str | None, expected: Any) -> None:
    assert applied(type_, stored, action, value, submatch) == expected
    assert DEEP == {"a": {"b": 1, "c": 2}}


@pytest.mark.promise("P-DATA-21")
@pytest.mark.parametrize(
    ("type_", "stored", "action", "value", "error_text"),
    [
        ("int", "about 40", "incr", 1, "Incorrect number"),
        ("int", True, "incr", 1, "Incorrect number"),
        ("int", 2**63 - 1, "incr", 1, "Incorrect number"),
        ("float", 1.7e308, "incr", 1.7e308, "Incorrect number"),
        ("tags", {"a": 1}, "add", ["b"], "Incorrect tags"),
        ("tags", [], "add", [1], "Incorrect tags"),
        ("arr_object", [7], "add", [{}], "Incorrect object"),
        ("arr_object", [], "add", {}, "Incorrect object"),
        ("object", ["a"], "upsert", 1, "Incorrect object"),
    ],
)
def test_a_value_that_has_no_such_update_fails_its_item_by_name(type_: str, stored: Any, action: str, value: Any, error_text: str) -> None:
    with pytest.raises(ItemFailed) as failed:
        applied(type_, stored, action, value, "a" if action == "upsert" else None)

    assert failed.value.why.text == error_text


@pytest.mark.promise("P-DATA-21")
@pytest.mark.parametrize("type_", sorted(TYPES | {"string", "boolean", "date", "ip"}))
@pytest.mark.parametrize("action", ["incr", "add", "delete", "upsert"])
def test_each_type_has_its_own_actions(type_: str, action: str) -> None:
    has = {("int", "incr"), ("float", "incr"), ("object", "upsert"), ("arr_object", "upsert")}
    has |= {(each, word) for each in ("tags", "arr_object") for word in ("add", "delete")}
    values: dict[str, Any] = {"incr": 1, "add": [], "delete": [], "upsert": 1}
    field = Field.model_validate({"type": type_})
    given = {"action": action, "value": values[action], "submatch": "a"}
    if (type_, action) in has:
        assert updates.read(action, given, field)
    else:
        with pytest.raises(ItemFailed, match="Incorrect action"):
            updates.read(action, given, field)


@pytest.mark.promise("P-DATA-21")
@pytest.mark.parametrize(
    ("value", "type_", "word"),
    [
        ({"action": "incr"}, "object", "incr"),
        ({"action": "jump"}, "object", None),
        ({"action": "incr", "speed": 1}, "object", None),
        ({"value": 1}, "int", None),
        ({"action": None}, None, None),
    ],
)
def test_an_object_may_have_a_member_called_action(value: Any, type_: str | None, word: str | None) -> None:
    field = None if type_ is None else Field.model_validate({"type": type_})

    assert updates.word_of(value, field) == word


@pytest.mark.promise("P-DATA-32")
def test_a_value_placed_in_many_objects_is_too_large_before_it_is_written_into_each() -> None:
    """By reference they take nothing; as JSON a value of 250 KB in 32,000 objects would be 8 GB."""
    stored = [{"a": 1}, {"b": 1}] * 3_000

    placed = applied("arr_object", stored, "upsert", "x" * 300, "a")
    assert placed[:2] == [{"a": "x" * 300}, {"b": 1}]
    with pytest.raises(ItemFailed) as failed:
        applied("arr_object", stored, "upsert", "x" * 350, "a")
    assert (failed.value.why.text, failed.value.field) == ("Profile too large", "f")
