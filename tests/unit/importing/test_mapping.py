"""What a cell or a file of columns may say, by what may not be said."""

from pathlib import Path

import pytest

from profuse.importing.aim import Aim
from profuse.importing.mapping import Mapped, Unreadable, mapped, untold
from profuse.importing.whole import columns_of
from profuse_client import Item
from runtime.errors import CannotRun

TYPES = {"email": "string", "phones": "arr_string", "_fname": "string", "error": "string"}
KEYS = {"phone", "profile_id", "field_value", "provider", "subscription_id"}


def beside(matching: str, trigger: int | None = 8) -> frozenset[str] | None:
    return Aim(trigger, 1, matching, None, {}, "").beside


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-11")
@pytest.mark.parametrize(
    ("matching", "searched"),
    [
        ("email", set()),
        ("phone", {"phone"}),
        ("email_phone", {"phone"}),
        ("profile_id", {"profile_id"}),
        ("custom", {"field_value"}),
        ("custom_sub", {"field_value"}),
        ("push_sub", {"provider", "subscription_id"}),
    ],
)
def test_a_column_finds_profiles_where_the_mode_searches_by_it_and_is_refused_by_name_elsewhere(matching: str, searched: set[str]) -> None:
    for name in searched:
        item = mapped(["email", name], {}, TYPES, beside=beside(matching)).item({"email": "a@x.test", name: "1"})

        assert item == Item({"email": "a@x.test"}, None, {name: "1"})
    for name in KEYS - searched:
        with pytest.raises(CannotRun, match=f"The database has no field '{name}': say which one it is .*--map '{name}="):
            mapped(["email", name], {}, TYPES, beside=beside(matching))
    for name in KEYS:
        with pytest.raises(CannotRun, match=f"The database has no field '{name}'"):
            mapped(["email", name], {}, TYPES, beside=beside(matching, trigger=None))


@pytest.mark.promise("P-IMPORT-05")
def test_a_field_of_the_database_is_one_whatever_a_mode_searches_by() -> None:
    assert mapped(["phone"], {}, {"phone": "string"}, beside=beside("phone")).item({"phone": "1"}) == Item({"phone": "1"})


@pytest.mark.promise("P-IMPORT-05")
def test_a_blank_in_a_name_is_told_as_such() -> None:
    with pytest.raises(CannotRun, match="The database has no field ' email'"):
        mapped([" email"], {}, TYPES, beside=None)


@pytest.mark.promise("P-IMPORT-11")
@pytest.mark.parametrize("columns", [["email", "phone"], None], ids=["a token that may not read", "NDJSON"])
def test_what_no_mode_searches_by_is_left_to_the_server_where_nobody_knows_the_fields_beforehand(columns: list[str] | None) -> None:
    row = {"email": "a@x.test", "phone": "+79000000001"}

    assert mapped(columns, {}, {}, beside=beside("email")).item(row) == Item(row)


@pytest.mark.promise("P-IMPORT-05")
def test_cells_of_the_fields_that_every_database_has_are_read_also_where_it_is_not_known() -> None:
    row = {"phones": '["+79000000001"]', "subscriptions": '[{"resource_id":1}]', "_fname": "[x]", "vip": "yes", "custom_data.a": "[1]"}
    found = mapped(list(row), {}, {}, beside=beside("email"))

    assert found.item(row) == Item(
        {"phones": ["+79000000001"], "subscriptions": [{"resource_id": 1}], "_fname": "[x]", "vip": "yes"}, {"a": "[1]"}
    )
    assert untold(list(row), found) == "'vip'"
    assert untold(["email"], mapped(["email"], {}, {}, beside=None)) == ""


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-11")
@pytest.mark.parametrize("columns", [["E-mail"], None], ids=["CSV", "NDJSON"])
@pytest.mark.parametrize(("field", "close"), [("emial", "email"), ("phone", "phones"), ("custom_date.order", "FIELD"), ("#email", "email")])
def test_a_column_that_is_mapped_to_no_field_is_refused_by_name(columns: list[str] | None, field: str, close: str) -> None:
    with pytest.raises(CannotRun, match=rf"The database has no field '{field}': say which one it is \(--map 'E-mail={close}'\)"):
        mapped(columns, {"E-mail": field}, TYPES, beside=beside("email"))


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-11")
@pytest.mark.parametrize("field", ["email", "custom_data.order", "phone", ""])
def test_a_column_of_ndjson_may_be_mapped_to_whatever_an_item_has(field: str) -> None:
    assert mapped(None, {"E-mail": field}, TYPES, beside=beside("phone")).fields == {"E-mail": field}


@pytest.mark.promise("P-IMPORT-11")
@pytest.mark.parametrize(
    ("row", "given", "words"),
    [
        ({"E-mail": "a@x.test", "email": "b@x.test"}, {"E-mail": "email"}, "'E-mail' and 'email' are both the field 'email'"),
        ({"Tel": "1", "phone": "2"}, {"Tel": "phone"}, "'Tel' and 'phone' are both the field 'phone'"),
        ({"A": "1", "B": None}, {"A": "custom_data.a", "B": "custom_data.a"}, "'A' and 'B' are both the field 'custom_data.a'"),
    ],
)
def test_a_row_that_gives_a_field_twice_fails_alone(row: dict[str, str], given: dict[str, str], words: str) -> None:
    found = mapped(None, given, TYPES, beside=beside("phone"))
    with pytest.raises(Unreadable, match=words):
        found.item(row)

    first, *_ = row
    assert found.item({first: row[first]}) == found.item({given[first]: row[first]})


@pytest.mark.promise("P-IMPORT-05")
def test_columns_that_are_one_field_are_refused_with_one_that_can_be_left_out() -> None:
    with pytest.raises(CannotRun, match="'E-mail' and 'Mail' are all the field 'email': leave all but one out, as in --map 'Mail='"):
        mapped(["E-mail", "Mail"], {"E-mail": "email", "Mail": "email"}, TYPES, beside=None)


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-11")
@pytest.mark.parametrize("columns", [["#error", "#line", "#tel", "email"], None], ids=["CSV", "NDJSON"])
def test_a_column_that_begins_with_a_hash_is_the_field_that_it_is_mapped_to_and_else_none(columns: list[str] | None) -> None:
    row = {"#error": "Incorrect phone", "#line": 2, "#tel": "+79000000001", "email": "a@x.test"}
    by_default, as_phones = (mapped(columns, given, TYPES, beside=None) for given in ({}, {"#tel": "phones"}))

    assert by_default.item(row) == Item({"email": "a@x.test"})
    assert as_phones.item(row) == Item({"email": "a@x.test", "phones": "+79000000001"})


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-11")
@pytest.mark.parametrize(
    ("column", "field"), [("#email", "email"), ("# email", "email"), ("#phone", "phone"), ("#custom_data.x", "custom_data.x")]
)
def test_a_field_that_only_its_hash_keeps_from_being_one_is_refused_with_both_ways_out(column: str, field: str) -> None:
    words = f"say that it is the field .--map '{column}={field}'., or leave it out .--map '{column}='."
    with pytest.raises(CannotRun, match=f"The column '{column}' begins with #, .*{words}"):
        mapped([column, "_fname"], {}, TYPES, beside=beside("phone"))

    assert mapped([column, "_fname"], {column: ""}, TYPES, beside=beside("phone")).item({column: "x"}) == Item({})
    assert mapped([column, field], {}, TYPES, beside=beside("phone")).item({column: "x"}) == Item({})


@pytest.mark.promise("P-IMPORT-03")
@pytest.mark.parametrize("text", ["{", "[" * 3_000, "[" + "9" * 5_000 + "]"])
def test_a_cell_that_is_no_json_costs_its_own_row(text: str) -> None:
    with pytest.raises(Unreadable, match="o: not JSON: "):
        Mapped({}, {"o": "object"}, beside=frozenset()).item({"o": text})


@pytest.mark.promise("P-IMPORT-05", "P-DOOR-13")
@pytest.mark.parametrize("text", ["a = ", "a = " + "9" * 5_000, "a = " + "[" * 3_000, "a = 1", "\udcff"])
def test_a_file_of_columns_that_cannot_be_meant_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CannotRun) as refused:
        columns_of(tmp_path / "map.toml")

    assert "\n" not in str(refused.value)


@pytest.mark.promise("P-IMPORT-05")
def test_a_mark_at_the_beginning_is_no_part_of_a_file_of_columns(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('\ufeff"E-mail" = "email"')

    assert columns_of(tmp_path / "map.toml") == {"E-mail": "email"}
