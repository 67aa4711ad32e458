"""What a dry run knows without the server."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from profuse.importing.checking import checker
from profuse_client import Item


@pytest.mark.promise("P-IMPORT-08")
@pytest.mark.parametrize(("matching", "name", "value"), [("email", "email", "a@x.test"), ("phone", "phones", ["+79000000001"])])
def test_a_dry_run_takes_what_is_set_for_what_is_given(matching: str, name: str, value: Any) -> None:
    told = [checker([], matching, None, bare=True).trouble(Item({name: given})) for given in (value, {"action": "set", "value": value})]

    assert told == [None, None]


FIELDS = [{"name": name, "type": name, "match": name == "int", "system": False} for name in ("float", "date", "int", "string")]


@pytest.mark.promise("P-IMPORT-08")
@pytest.mark.parametrize(
    ("name", "value", "trouble"),
    [
        ("date", date(2026, 1, 2), None),
        ("date", datetime(2026, 1, 2, 3, 4, tzinfo=UTC), None),
        ("float", Decimal("1.50"), None),
        ("string", Decimal("1.50"), None),
        ("int", Decimal("1.50"), "Incorrect number (int)"),
        ("string", b"raw", "Cannot be sent: bytes is no JSON"),
        ("float", float("nan"), "Cannot be sent: Out of range float values are not JSON compliant"),
        ("string", "\udcd0", "Text cannot be stored (string)"),
    ],
)
def test_a_dry_run_reads_values_as_they_would_be_sent(name: str, value: Any, trouble: str | None) -> None:
    told = checker(FIELDS, "email", None, bare=True).trouble(Item({"email": "a@x.test", name: value}))

    assert told == trouble


@pytest.mark.promise("P-IMPORT-08")
def test_a_dry_run_reads_what_finds_a_profile_as_it_would_be_sent() -> None:
    found = checker(FIELDS, "custom", "int", bare=False)

    assert found.trouble(Item({}, keys={"field_value": Decimal(7)})) is None  # type: ignore[dict-item]
    assert found.trouble(Item({}, {"raw": b"raw"}, keys={"field_value": 7})) == "Cannot be sent: bytes is no JSON"


@pytest.mark.promise("P-IMPORT-08")
@pytest.mark.parametrize("word", ["null", " Undefined", "[object Object]"])
def test_a_dry_run_knows_what_clients_write_for_a_text_that_they_do_not_have(word: str) -> None:
    fields = [{"name": "crm", "type": "string", "match": True, "system": False}]

    assert checker(fields, "custom", "crm", bare=True).trouble(Item({"crm": word})) == "Placeholder (crm)"
    assert checker(fields, "custom", "crm", bare=False).trouble(Item({}, keys={"field_value": word})) == "Placeholder (field_value)"


@pytest.mark.promise("P-IMPORT-08")
@pytest.mark.parametrize(
    ("matching", "name", "key"), [("custom", "int", "field_value"), ("email", "email", "email"), ("phone", "phones", "phone")]
)
@pytest.mark.parametrize("blank", ["", " ", "\u00a0\n", None])
def test_a_dry_run_takes_a_blank_for_no_match_value(matching: str, name: str, key: str, blank: str | None) -> None:
    told = checker(FIELDS, matching, name if matching == "custom" else None, bare=True).trouble(Item({name: blank}))

    assert told == f"No match value ({key})"


@pytest.mark.promise("P-IMPORT-08")
@pytest.mark.parametrize(
    ("size", "trouble"), [(16 * 1024 - 8, None), (16 * 1024 - 7, "Custom data too large (custom_data)"), (256 * 1024, "Item too large")]
)
def test_a_dry_run_knows_how_much_may_stand_beside_a_profile(size: int, trouble: str | None) -> None:
    told = checker(FIELDS, "email", None, bare=False).trouble(Item({"email": "a@x.test"}, {"x": "y" * size}))

    assert told == trouble


@pytest.mark.promise("P-IMPORT-08")
def test_a_dry_run_leaves_to_the_server_what_a_token_may_not_read() -> None:
    found = checker([], "custom", "crm", bare=True)

    assert found.trouble(Item({"crm": "A-1"})) is None
    assert found.trouble(Item({"crm": "A-1", "email": "nobody"})) == "Incorrect email (email)"


@pytest.mark.promise("P-IMPORT-08")
def test_a_dry_run_measures_an_item_as_it_is_sent_bare_or_wrapped() -> None:
    largest = Item({"email": "a@x.test", "string": "x" * (256 * 1024 - len('{"email":"a@x.test","string":""}'))})

    assert checker(FIELDS, "email", None, bare=True).trouble(largest) is None
    assert checker(FIELDS, "email", None, bare=False).trouble(largest) == "Item too large"
