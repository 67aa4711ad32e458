"""What each type of field accepts, and how it is stored and searched by."""

import ipaddress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.fields import MATCHABLE_TYPES, Field, FieldType, match_value, parse
from schemas.item_errors import ItemFailed
from schemas.system_fields import SYSTEM_FIELDS, status_word

PLAN = Field(type=FieldType.ENUM, options=["free", "pro"])


def of(type_: str) -> Field:
    return PLAN if type_ == "enum" else Field.model_validate(type_)


def refusal(field: Field, value: Any) -> str:
    with pytest.raises(ItemFailed) as raised:
        parse(field, value)
    assert raised.value.why.error == 400
    return raised.value.why.text


STORED: list[tuple[str, Any, Any]] = [
    ("int", 7, 7),
    ("int", "7", 7),
    ("int", "-7", -7),
    ("int", "0007", 7),
    ("int", 2**63 - 1, 2**63 - 1),
    ("int", str(-(2**63)), -(2**63)),
    ("float", 1.5, 1.5),
    ("float", 2, 2.0),
    ("float", "-1.5e3", -1500.0),
    ("string", "Ada", "Ada"),
    ("string", "", ""),
    ("string", 7, "7"),
    ("string", 10**30, "1" + "0" * 30),
    ("string", "\\u0000 in words", "\\u0000 in words"),
    ("string", "ž\\u0000", "ž\\u0000"),
    ("boolean", True, True),
    ("boolean", False, False),
    ("date", "2024-02-29", "2024-02-29"),
    ("date", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
    ("date", "2024-02-29 23:59:59z", "2024-02-29T23:59:59Z"),
    ("date", "2024-02-29T23:59:59", "2024-02-29T23:59:59Z"),
    ("date", "2024-02-29t23:59:59.123456789+02:00", "2024-02-29T21:59:59.123456Z"),
    ("date", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("date", "2016-12-31T15:59:60.25-08:00", "2017-01-01T00:00:00.250000Z"),
    ("date", 0, "1970-01-01T00:00:00Z"),
    ("date", -1, "1969-12-31T23:59:59Z"),
    ("date", 10**10 - 1, "2286-11-20T17:46:39Z"),
    ("date", 10**10, "1970-04-26T17:46:40Z"),
    ("date", -(10**10), "1969-09-07T06:13:20Z"),
    ("date", 1767225600123, "2026-01-01T00:00:00.123000Z"),
    ("enum", "pro", "pro"),
    ("enum", 0, "free"),
    ("enum", "1", "pro"),
    ("ip", "192.0.2.1", "192.0.2.1"),
    ("ip", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
    ("ip", "::ffff:192.0.2.1", "192.0.2.1"),
    ("ip", "::FFFF:c000:201", "192.0.2.1"),
    ("tags", ["b", "a", " b "], ["b", "a"]),
    ("tags", "b, a,b,", ["b", "a"]),
    ("tags", ["Art", "art"], ["Art", "art"]),
    ("tags", ["Ham, smoked", "e\u0301"], ["Ham, smoked", "\u00e9"]),
    ("tags", [], []),
    ("object", {"a": [1]}, {"a": [1]}),
    ("object", {}, {}),
    ("arr_object", [{"a": 1}], [{"a": 1}]),
    ("arr_object", [], []),
]

REFUSED: list[tuple[str, str, list[Any]]] = [
    ("int", "Incorrect number", [True, 1.0, "1.0", "", " 7", "seven", "\u0667", 2**63, str(-(2**63) - 1), "9" * 5_000, [7], {}]),
    ("float", "Incorrect number", [True, "", "1_000", " 1", "nan", "inf", float("inf"), float("nan"), "1e999", 10**400, [1.5]]),
    ("string", "Incorrect string", [True, 1.5, [], {}]),
    ("string", "Text cannot be stored", ["a\0b", "\ud800", "ž\0"]),
    ("boolean", "Incorrect boolean", [0, 1, "true", "", []]),
    (
        "date",
        "Incorrect date",
        [
            "",
            "2023-02-29",
            "20240229",
            "1767225600",
            "\uff12024-02-29",
            "2024-02-29T23:59",
            "2024-02-29T24:00:00Z",
            "2024-02-29T23:59:61Z",
            "2024-02-29T12:00:60Z",
            "2024-02-29T23:59:59+05:60",
            "0001-01-01T00:00:00+05:00",
            "9999-12-31T23:59:60Z",
            253402300800000,
            10**400,
            -(10**400),
            1.5,
            True,
        ],
    ),
    ("enum", "Incorrect option", ["", "gold", 2, -1, "2", True, 1.0, None]),
    ("ip", "Incorrect ip", ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "fe80::1%eth0", "1.2.3.4/32", 16909060]),
    ("tags", "Incorrect tags", ["", " ", [1], ["a", None], {"a": 1}, 7]),
    ("tags", "Text cannot be stored", [["a\0"], "ž, \ud800"]),
    ("object", "Incorrect object", ["", [], "{}", 1]),
    ("object", "Text cannot be stored", [{"a": ["\0"]}, {"\ud800": 1}, {"a": "\\\0"}]),
    ("arr_object", "Incorrect object", ["", {}, [1], [[]]]),
]


@pytest.mark.promise("P-DATA-03", "P-DATA-04", "P-DATA-05", "P-DATA-06", "P-DATA-07")
@pytest.mark.promise("P-DATA-08", "P-DATA-09", "P-DATA-10", "P-DATA-11", "P-DATA-18")
@pytest.mark.parametrize(("type_", "given", "stored"), STORED, ids=repr)
def test_a_value_is_stored_in_its_own_form(type_: str, given: Any, stored: Any) -> None:
    parsed = parse(of(type_), given)

    assert parsed == stored
    assert type(parsed) is type(stored)


@pytest.mark.promise("P-DATA-03", "P-DATA-04", "P-DATA-05", "P-DATA-06", "P-DATA-07", "P-DATA-16")
@pytest.mark.promise("P-DATA-08", "P-DATA-09", "P-DATA-10", "P-DATA-11", "P-DATA-18")
@pytest.mark.parametrize(("type_", "error_text", "values"), REFUSED, ids=lambda each: each if isinstance(each, str) else "")
def test_another_value_is_refused_in_the_words_of_its_type(type_: str, error_text: str, values: list[Any]) -> None:
    assert [refusal(of(type_), value) for value in values] == [error_text] * len(values)


@pytest.mark.promise("P-DATA-09")
@given(st.one_of(st.ip_addresses().map(str), st.ip_addresses(v=4).map(lambda ip: f"::ffff:{ip}"), st.text("0125.:f", max_size=16)))
@example("1.2.3.4.")
@example("1.2.3.256")
@example("01.2.3.4")
@example("1.2.3.4\n")
def test_an_ip_is_what_the_library_takes_for_one(address: str) -> None:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        assert refusal(of("ip"), address) == "Incorrect ip"
        return
    stored = parse(of("ip"), address)

    assert stored == str(getattr(known, "ipv4_mapped", None) or known)
    assert parse(of("ip"), stored) == stored


@given(
    st.one_of(
        st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()), st.dates().map(str), st.integers(-(10**12), 10**12)
    )
)
def test_a_stored_date_is_its_own_spelling(value: str | int) -> None:
    for rule in (of("date"), SYSTEM_FIELDS["_bdate"]):
        try:
            stored = parse(rule, value)
        except ItemFailed:
            continue

        assert parse(rule, stored) == stored


@given(st.lists(st.text(max_size=5)))
def test_stored_tags_are_their_own_spelling(tags: list[str]) -> None:
    try:
        stored = parse(of("tags"), tags)
    except ItemFailed:
        return

    assert parse(of("tags"), stored) == stored


@pytest.mark.promise("P-DATA-12")
def test_system_fields_have_their_types() -> None:
    given = {
        "_sex": "female",
        "_status": "unsubscribed",
        "_bdate": "1815-12-10",
        "_regdate": "2024-01-01",
        "_ip": "::1",
        "_regip": "1.2.3.4",
    }
    stored = {name: parse(SYSTEM_FIELDS[name], value) for name, value in given.items()}

    assert stored == given | {"_status": 1}
    assert {SYSTEM_FIELDS[name].type for name in SYSTEM_FIELDS.keys() - given.keys()} == {FieldType.STRING}
    assert "_os" in SYSTEM_FIELDS


@pytest.mark.promise("P-DATA-25")
def test_a_sex_is_a_word_or_its_number_in_iso_5218() -> None:
    given: list[Any] = ["male", "female", 1, 2, "1", "2", 0, 9, "0", "9"]
    stored = [parse(SYSTEM_FIELDS["_sex"], value) for value in given]

    assert stored == ["male", "female"] * 3 + [None] * 4
    others: list[Any] = ["", "Male", 3, -1, True, 1.0, []]
    assert [refusal(SYSTEM_FIELDS["_sex"], value) for value in others] == ["Incorrect option"] * len(others)


@pytest.mark.promise("P-DATA-24")
@pytest.mark.parametrize(
    "given", ["1815-12-10", "1815-12-10T00:30:00+03:00", "1815-12-10T23:59:59-03:00", "1815-12-10 00:00:00", -4861684800, -4861684800000]
)
def test_a_birthday_is_the_day_as_it_is_written(given: Any) -> None:
    assert parse(SYSTEM_FIELDS["_bdate"], given) == "1815-12-10"


@pytest.mark.promise("P-DATA-24")
def test_a_birthday_may_be_the_first_or_the_last_day_of_the_calendar() -> None:
    given = ["9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+14:00"]

    assert [parse(SYSTEM_FIELDS["_bdate"], value) for value in given] == ["9999-12-31", "0001-01-01"]
    wrong: list[Any] = [
        "2000-02-30T00:00:00Z",
        "1990-01-01T25:00:00Z",
        "1990-01-01T00:00:00+99:00",
        "1990-01-01Tx",
        "1990-1-01T00:00:00",
        "",
    ]
    assert [refusal(SYSTEM_FIELDS["_bdate"], value) for value in wrong] == ["Incorrect date"] * len(wrong)


@pytest.mark.promise("P-DATA-12")
@pytest.mark.parametrize("value", [6, "6", "invalid"])
def test_status_is_stored_as_its_number(value: Any) -> None:
    assert parse(SYSTEM_FIELDS["_status"], value) == 6


@pytest.mark.promise("P-SUBS-04")
def test_a_subscriptions_status_is_stored_as_its_word() -> None:
    assert [status_word(given) for given in (0, "0", "subscribed", 5)] == ["subscribed"] * 3 + ["suspended"]
    with pytest.raises(ItemFailed):
        status_word(7)


@pytest.mark.promise("P-MATCH-06", "P-MATCH-07")
@pytest.mark.parametrize(
    ("type_", "spellings"),
    [
        ("int", [42, "42", "0042"]),
        ("string", [42, "42"]),
        ("string", ["\u00e9", "e\u0301"]),
        ("enum", ["pro", 1, "1"]),
        ("tags", ["a, b", ["b", "a"], " b,a "]),
        ("tags", ["caf\u00e9", ["cafe\u0301"]]),
        ("date", ["2026-01-01T03:00:00+03:00", "2026-01-01 00:00:00", "2025-12-31t19:00:00.0000009-05:00", 1767225600, 1767225600000]),
        ("date", ["2026-01-01T00:00:00.12345671Z", "2026-01-01T00:00:00.12345679Z"]),
        ("ip", ["2001:db8::1", "2001:0DB8::0001"]),
        ("ip", ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:0201"]),
    ],
)
def test_equal_values_are_searched_by_the_same_text(type_: str, spellings: list[Any]) -> None:
    first, *others = [match_value(of(type_), spelling) for spelling in spellings]

    assert others == [first] * len(others)


@pytest.mark.promise("P-MATCH-22")
def test_a_comma_takes_a_text_apart_and_no_element() -> None:
    assert match_value(of("tags"), "Ham, smoked") == ["Ham", "smoked"]
    assert match_value(of("tags"), ["Ham, smoked"]) == ["Ham, smoked"]


@pytest.mark.promise("P-MATCH-23")
@pytest.mark.parametrize("type_", ["string", "tags"])
def test_what_is_searched_by_has_a_bound_in_bytes(type_: str) -> None:
    searched, plain = Field.model_validate({"type": type_, "match": True}), of(type_)

    assert parse(searched, "\u00e9" * 512)
    assert parse(searched, "e\u0301" * 512)
    assert refusal(searched, "\u00e9" * 513) == "Match value too long"
    assert refusal(searched, "x" * 1_025) == "Match value too long"
    assert parse(plain, "x" * 1_025)


@pytest.mark.promise("P-MATCH-23")
def test_tags_have_a_bound_each_and_all_that_are_searched_by_together() -> None:
    many = ["x" * 100 + str(number) for number in range(20)]

    assert parse(Field.model_validate({"type": "tags", "match": True}), many) == many
    with pytest.raises(ItemFailed, match="Match value too long"):
        match_value(of("tags"), many)


@pytest.mark.promise("P-DATA-26")
@pytest.mark.timeout(10)
@pytest.mark.parametrize("type_", ["string", "enum", "tags"])
def test_piled_up_accents_cost_no_more_than_letters(type_: str) -> None:
    piled = "e" + "\u0301" * 60_000 + "\u0327" * 60_000
    with pytest.raises(ItemFailed):
        match_value(Field(type=FieldType(type_), match=True, options=["free"] if type_ == "enum" else []), piled)


@pytest.mark.parametrize("type_", sorted(MATCHABLE_TYPES))
def test_the_text_of_a_search_is_a_value_of_its_field(type_: str) -> None:
    given = {"int": 7, "string": "x", "date": "2026-01-01T00:00:00Z", "ip": "::1", "enum": 1, "tags": "a, b"}[type_]
    value = match_value(of(type_), given)

    assert match_value(of(type_), parse(of(type_), value)) == value


def test_no_tag_at_all_is_no_search() -> None:
    with pytest.raises(ItemFailed):
        match_value(of("tags"), [])


@pytest.mark.parametrize(
    "declared",
    ["text", {"type": "float", "match": True}, {"type": "enum"}, {"type": "int", "options": ["a"]}, {"type": "int", "matches": True}],
)
def test_a_declaration_that_makes_no_sense_is_refused(declared: Any) -> None:
    with pytest.raises(ValidationError):
        Field.model_validate(declared)
