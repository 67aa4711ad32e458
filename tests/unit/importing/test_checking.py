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
    told = [checker([], matching, None).trouble(Item({name: given})) for given in (value, {"action": "set", "value": value})]

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
    told = checker(FIELDS, "email", None).trouble(Item({"email": "a@x.test", name: value}))

    assert told == trouble


@pytest.mark.promise("P-IMPORT-08")
def test_a_dry_run_reads_what_finds_a_profile_as_it_would_be_sent() -> None:
    found = checker(FIELDS, "custom", "int")

    assert found.trouble(Item({}, keys={"field_value": Decimal(7)})) is None  # type: ignore[dict-item]
    assert found.trouble(Item({}, {"raw": b"raw"}, keys={"field_value": 7})) == "Cannot be sent: bytes is no JSON"
