"""What an item's data does to a profile, and what fails it."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ingest.http.scanning import Scan
from schemas.actions import as_given
from schemas.batches import BatchKind
from schemas.fields import Field
from schemas.identities import of_field
from schemas.ids import ResourceNumber, TriggerId
from schemas.item_errors import ItemFailed
from schemas.matching import Matching
from schemas.messages import ProfileImport
from schemas.same import same
from workers.matcher.batches import Batch, Database
from workers.matcher.change import Change, Location, parse_change
from workers.matcher.item import Item, Outcome, read
from workers.matcher.profile import overlaid
from workers.matcher.subscribing import merged

FIELDS = {name: Field.model_validate(type_) for name, type_ in {"points": "int", "settings": "object", "ratio": "float"}.items()}
DATABASE = Database(1, "reject", FIELDS, {ResourceNumber(24): "email"}, (), ())
BATCH = Batch(
    id=b"",
    database=DATABASE,
    trigger=TriggerId(1),
    total=1,
    kind=BatchKind.IMPORT_AND_START,
    matching=Matching.EMAIL,
    field_name=None,
    resource=None,
    skip_triggers=False,
    skip_invalid_subscriptions=False,
    detect_geo=False,
)
PLACES = {
    "192.0.2.1": {"country": "LV", "region": "Riga", "city": "Riga", "postal_code": "LV-1010", "tz": "Europe/Riga"},
    "2001:db8::1": {"country": "NO", "city": "Oslo"},
}


def locate(address: str) -> Location:
    return PLACES.get(address, {})


def change(batch: Batch = BATCH, /, **data: Any) -> Change:
    return parse_change(data, batch, locate)


def keeping(unknown_fields: str) -> Batch:
    return replace(BATCH, database=replace(DATABASE, unknown_fields=unknown_fields))


@pytest.mark.promise("P-DATA-01")
def test_system_fields_and_declared_ones_are_known() -> None:
    given = {"email": "Ada@a.test", "phones": "+79000000000", "_fname": "Ada", "points": "5"}

    assert change(**given).fields == {"email": "ada@a.test", "phones": ["+79000000000"], "_fname": "Ada", "points": 5}


@pytest.mark.promise("P-DATA-02", "P-DATA-29")
@pytest.mark.parametrize(
    ("data", "error_text", "field"),
    [
        ({"_frame": "Bob"}, "Unknown field", "_frame"),
        ({"_frame": None}, "Unknown field", "_frame"),
        ({"_id": "7"}, "Incorrect id", "_id"),
        ({"_id": 7}, "Incorrect id", "_id"),
        ({"email": ""}, "Incorrect email", "email"),
        ({"phones": ["+79000000000", "bad"]}, "Incorrect phone", "phones"),
        ({"phones": ""}, "Incorrect phone", "phones"),
        ({"phones": 79000000000}, "Incorrect phone", "phones"),
        ({"points": ""}, "Incorrect number", "points"),
        ({"_fname": ["Bob"]}, "Incorrect string", "_fname"),
        ({"points": {"action": "add", "value": [1]}}, "Incorrect action", "points"),
        ({"points": {"action": "incr"}}, "Incorrect action", "points"),
        ({"points": {"action": "incr", "value": 1.5}}, "Incorrect number", "points"),
        ({"points": {"action": "double"}}, "Incorrect action", "points"),
        ({"points": {"action": ["incr"]}}, "Incorrect action", "points"),
        ({"settings": {"action": "upsert", "value": 1}}, "Incorrect action", "settings"),
        ({"settings": {"action": "upsert", "value": 1, "submatch": "a..b"}}, "Incorrect action", "settings"),
        ({"settings": {"action": "upsert", "value": 1, "submatch": ".".join("x" * 33)}}, "Incorrect action", "settings"),
        ({"settings": {"action": "upsert", "value": None, "submatch": "a"}}, "Incorrect action", "settings"),
        ({"email": {"action": "unset"}}, "Incorrect action", "email"),
        ({"_id": {"action": "unset"}}, "Incorrect action", "_id"),
        ({"email": {"action": "set", "value": "a"}}, "Incorrect email", "email"),
        ({"_fname": {"action": "incr", "value": 1}}, "Incorrect action", "_fname"),
        ({"phones": {"action": "add", "value": ["+79000000000"]}}, "Incorrect action", "phones"),
        ({"subscriptions": {"action": "set"}}, "Incorrect action", "subscriptions"),
        ({"subscriptions": "24"}, "Incorrect subscriptions", "subscriptions"),
        ({"phones": [f"+7{number:010}" for number in range(1_001)]}, "Profile too large", "phones"),
        ({"\ud800": 1}, "Text cannot be stored", None),
        ({"a\0": 1}, "Text cannot be stored", None),
    ],
)
def test_a_bad_field_fails_the_item_by_name(data: dict[str, Any], error_text: str, field: str | None) -> None:
    with pytest.raises(ItemFailed) as raised:
        change(**data)

    assert (raised.value.why.error, raised.value.why.text, raised.value.field) == (400, error_text, field)


@pytest.mark.promise("P-DATA-02")
def test_a_database_may_ignore_or_keep_what_it_does_not_know() -> None:
    assert change(keeping("ignore"), colour="red", _fname="Ada").fields == {"_fname": "Ada"}
    assert change(keeping("keep"), colour=["red", 1.5], size=None).fields == {"colour": ["red", 1.5], "size": None}
    with pytest.raises(ItemFailed, match="Text cannot be stored"):
        change(keeping("keep"), colour=["\0"])


@pytest.mark.promise("P-DATA-28")
def test_a_name_that_may_be_the_systems_is_never_kept() -> None:
    with pytest.raises(ItemFailed) as raised:
        change(keeping("keep"), _score=1)

    assert raised.value.entry() == {"error": 400, "error_text": "Unknown field", "field": "_score"}
    assert change(keeping("ignore"), _score=1).fields == {}


@pytest.mark.promise("P-DATA-30")
def test_null_is_not_given_for_what_is_never_unset() -> None:
    asked = change(_id=None, email=None, subscriptions=None, _fname=None)

    assert asked == Change({"_fname": None})


@pytest.mark.promise("P-DATA-25")
def test_a_sex_that_is_not_known_unsets_it() -> None:
    assert change(_sex=0).fields == change(_sex=9).fields == {"_sex": None}


def test_an_object_that_merely_has_an_action_is_an_object() -> None:
    assert change(settings={"action": "jump", "height": 2}).fields == {"settings": {"action": "jump", "height": 2}}


@pytest.mark.promise("P-DATA-15", "P-DATA-32")
def test_phones_are_one_number_or_several_without_duplicates() -> None:
    assert change(phones="+7 900 000 00 00").fields == {"phones": ["+79000000000"]}
    assert change(phones=["+79000000001", "+7 900 000 00 00", "+79000000000"]).fields == {"phones": ["+79000000001", "+79000000000"]}
    assert change(phones=[]).fields == {"phones": []}
    assert change(phones=["+79000000000"] * 2_000).fields == {"phones": ["+79000000000"]}


@pytest.mark.promise("P-DATA-17")
def test_absent_stays_null_unsets_and_a_value_replaces_the_whole() -> None:
    stored = {"_fname": "Ada", "_city": "Riga", "phones": ["+79000000000"], "settings": {"a": 1, "b": 2}}

    laid, changed = overlaid(stored, change(_city=None, phones=["+79000000001"], settings={"a": 1}, points=None).fields)

    assert laid == {"_fname": "Ada", "phones": ["+79000000001"], "settings": {"a": 1}}
    assert changed == {"_city", "phones", "settings"}


def test_the_same_value_again_is_no_change() -> None:
    stored = {"ratio": 5.0, "settings": {"a": [True, None], "b": 1}, "points": 5}

    _, changed = overlaid(stored, {"ratio": 5, "settings": {"b": 1, "a": [True, None]}, "points": 5})

    assert changed == set()


@pytest.mark.promise("P-DATA-31")
@pytest.mark.parametrize("given", [1e23, 1e300, -1e22, 0.1, 5e-324, 1.0, -0.0])
def test_a_float_is_the_same_as_the_whole_number_that_postgres_makes_of_it(given: float) -> None:
    stored = msgspec.json.decode(format(Decimal(repr(given)), "f"))

    assert same({"ratio": [stored]}, {"ratio": [given]})


@pytest.mark.promise("P-DATA-31")
@pytest.mark.parametrize(("one", "other"), [(10**23, 1.1e23), (10**400, 1e300), (2**53 + 1, 2**53), (1, "1"), (True, 1.0)])
def test_other_numbers_are_another_value(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)


def tower(levels: int) -> Any:
    return {"a": tower(levels - 1)} if levels > 1 else {}


ADA = {"resource_id": 24, "email": "ada@a.test"}
# What gives a value of a field, or one inside a subscription, so many levels; these stand in two, and in four.
WAYS: dict[str, tuple[int, Callable[[int], Any]]] = {
    "set": (1, lambda levels: {"settings": tower(levels)}),
    # Shown as what it has to be written as, which is a level more.
    "an object like an update": (
        2,
        lambda levels: {"settings": {"action": "set", "value": {"action": "unset", "value": tower(levels - 1)}}},
    ),
    "kept": (1, lambda levels: {"other": [[tower(levels - 2)]]}),
    "upsert": (1, lambda levels: {"settings": {"action": "upsert", "submatch": "a.a.a", "value": tower(levels - 3)}}),
    "add": (1, lambda levels: {"orders": {"action": "add", "value": [tower(levels - 1)]}}),
    "upsert in each": (1, lambda levels: {"orders": {"action": "upsert", "submatch": "held.a", "value": tower(levels - 3)}}),
    "an object like an update in a subscription": (
        4,
        lambda levels: {
            "subscriptions": [ADA | {"custom_fields": {"action": "set", "value": {"action": "unset", "value": tower(levels - 1)}}}]
        },
    ),
    "subscription": (3, lambda levels: {"subscriptions": [ADA | {"custom_fields": tower(levels)}]}),
    "upsert in a subscription": (
        3,
        lambda levels: {"subscriptions": [ADA | {"custom_fields": {"action": "upsert", "submatch": "a.a", "value": tower(levels - 2)}}]},
    ),
    "address": (3, lambda levels: {"subscriptions": [{"resource_id": 30, "cc_data": {"id": 7, "more": tower(levels - 1)}}]}),
}


def stored_as(data: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a profile that holds little, as it is shown."""
    kinds = FIELDS | {"orders": Field.model_validate("arr_object")}
    resources = {ResourceNumber(24): "email", ResourceNumber(30): "telegram_bot"}
    asked = change(replace(BATCH, database=replace(DATABASE, fields=kinds, resources=resources, unknown_fields="keep")), **data)
    laid, _ = overlaid({"orders": [{"held": {"a": 1}}]}, asked.fields, asked.updates)
    shown = {name: as_given(value) for name, value in laid.items()}
    return shown | {
        "subscriptions": [{name: as_given(value) for name, value in each.items()} for each in merged([], asked.subscriptions or [])]
    }


@pytest.mark.promise("P-DATA-34", "P-DATA-29")
@pytest.mark.parametrize(("around", "way"), WAYS.values(), ids=WAYS)
def test_no_profile_is_deeper_than_a_request_can_bring_it(around: int, way: Callable[[int], Any]) -> None:
    shown = stored_as(way(29 - around))
    Scan().take(msgspec.json.encode({"token": "any", "data": [{"data": shown}]}))

    with pytest.raises(ItemFailed) as failed:
        stored_as(way(30 - around))
    (name,) = way(1).keys()
    assert (failed.value.why.text, failed.value.field) == ("Profile too large", name)


@pytest.mark.promise("P-DATA-34")
def test_what_is_too_deep_already_fails_nothing_else() -> None:
    deep = {"resource_id": 24, "channel": "email", "email": "ada@a.test", "status": "subscribed", "priority": 0, "custom_fields": tower(60)}
    left = change(subscriptions=[ADA | {"status": "unsubscribed"}])

    assert overlaid({"settings": tower(60)}, {"_fname": "Ada", "settings": tower(60)})[1] == {"_fname"}
    assert merged([deep], left.subscriptions or []) == [deep | {"status": "unsubscribed"}]


@pytest.mark.parametrize(("one", "other"), [(True, 1), ([True], [1]), ({"a": False}, {"a": 0}), ({"a": 1}, {"b": 1}), ([1], [1, 1])])
def test_what_python_takes_for_the_same_json_may_not(one: Any, other: Any) -> None:
    assert not same(one, other)


def aimed(value: str, options: list[str]) -> Item | Outcome:
    """An item that is matched by an option, as it is read where these are the options."""
    size = Field.model_validate({"type": "enum", "options": options, "match": True})
    batch = replace(BATCH, database=replace(DATABASE, fields={"size": size}), matching=Matching.CUSTOM, field_name="size")
    return read(ProfileImport(batch="", item=0, value=value, data={}), batch, locate)


@pytest.mark.promise("P-MATCH-35", "P-BATCH-05")
@pytest.mark.parametrize(("accepted", "options"), [("5", ["6", "7", "8", "9", "10", "11"]), ("pro", ["free", "premium"])])
def test_an_option_that_was_retired_while_its_item_waited_is_none_and_no_ordinal(accepted: str, options: list[str]) -> None:
    outcome = aimed(accepted, options)

    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert outcome.error.entry() == {"error": 400, "error_text": "Incorrect option", "field": "field_value"}


@pytest.mark.promise("P-MATCH-35")
@pytest.mark.parametrize(
    ("accepted", "options"), [("5", ["6", "5"]), ("caf\u00e9", ["tea", "cafe\u0301"]), ("caf\u00e9", ["tea", "caf\u00e9"])], ids=ascii
)
def test_an_option_that_moved_while_its_item_waited_is_the_same(accepted: str, options: list[str]) -> None:
    item = aimed(accepted, options)

    assert isinstance(item, Item)
    assert (item.keys, item.implied) == (((1, of_field("size", accepted)),), {"size": options[1]})


@pytest.mark.promise("P-BATCH-05", "P-MATCH-35")
def test_a_match_value_that_its_field_no_longer_takes_is_named() -> None:
    number = Field.model_validate({"type": "int", "match": True})
    batch = replace(BATCH, database=replace(DATABASE, fields={"points": number}), matching=Matching.CUSTOM, field_name="points")
    outcome = read(ProfileImport(batch="", item=0, value="A-1", data={}), batch, locate)

    assert isinstance(outcome, Outcome)
    assert outcome.error is not None
    assert outcome.error.entry() == {"error": 400, "error_text": "Incorrect number", "field": "field_value"}


GEO = replace(BATCH, detect_geo=True)


@pytest.mark.promise("P-GEO-01")
def test_ip_says_where_a_profile_is_and_regip_where_it_registered() -> None:
    found = change(GEO, _ip="192.0.2.1", _regip="2001:db8::1").fields

    current = {"_country": "LV", "_region": "Riga", "_city": "Riga", "_postal_code": "LV-1010", "_tz": "Europe/Riga"}
    assert found == {"_ip": "192.0.2.1", "_regip": "2001:db8::1", **current, "_regcountry": "NO", "_regcity": "Oslo"}


@pytest.mark.promise("P-GEO-02")
@pytest.mark.parametrize("data", [{}, {"_ip": None}])
def test_without_ip_regip_says_both(data: dict[str, Any]) -> None:
    found = change(GEO, _regip="2001:db8::1", **data).fields

    assert {name: value for name, value in found.items() if value and name != "_regip"} == {
        "_country": "NO",
        "_city": "Oslo",
        "_regcountry": "NO",
        "_regcity": "Oslo",
    }


@pytest.mark.promise("P-GEO-03")
def test_what_the_item_gives_is_never_overridden() -> None:
    found = change(GEO, _ip="192.0.2.1", _city="Jelgava", _region=None).fields

    assert (found["_city"], found["_region"], found["_country"]) == ("Jelgava", None, "LV")


@pytest.mark.promise("P-GEO-04")
def test_an_unknown_address_fills_nothing() -> None:
    assert change(GEO, _ip="198.51.100.1", _regip="198.51.100.2").fields == {"_ip": "198.51.100.1", "_regip": "198.51.100.2"}


def test_without_the_flag_nobody_is_located() -> None:
    assert change(_ip="192.0.2.1").fields == {"_ip": "192.0.2.1"}
