"""What an item is matched by, and why one fails at the door."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from ingest.endpoints.batch_parameters import BatchRequest, ImportAndStart, ImportProfile
from ingest.endpoints.item_shapes import BARE_PROFILE, KEYS_ONLY, ONE_PROFILE, WITH_PROFILE, Shape
from ingest.endpoints.items import Shared, prepare, root_values
from ingest.publish.record import Prepared, publishable, record
from schemas.fields import Field
from schemas.ids import new_id
from schemas.item_errors import ItemFailed
from schemas.matching import MODES, Matching, Own
from schemas.messages import ProfileImport

LIMIT = 1_200
CRM = Field.model_validate({"type": "string", "match": True})
NUMBER = Field.model_validate({"type": "int", "match": True})
DATE = Field.model_validate({"type": "date", "match": True})
PLAN = Field.model_validate({"type": "enum", "match": True, "options": ["free", "pro"]})
TAGS = Field.model_validate({"type": "tags", "match": True})


def shared(
    matching: Matching = Matching.EMAIL, root: int | str | None = None, field: Field | None = None, shape: Shape = WITH_PROFILE
) -> Shared:
    words = frozenset({"null", "nan", "[object object]"})
    own = Own("crm", field) if field else MODES[matching].own("id", {})
    found = Shared(shape, 1, matching, {}, own, LIMIT, LIMIT // 2, words)
    return replace(found, roots={} if root is None else root_values({found.mode.key: root}, found))


def prepared(item: Any, by: Shared) -> Prepared:
    return prepare(msgspec.Raw(msgspec.json.encode(item)), by)


EMAIL, PHONE, ID = shared(), shared(Matching.PHONE), shared(Matching.PROFILE_ID)
CUSTOM, INT, TAGGED, DATED, PLANNED = (shared(Matching.CUSTOM, field=field) for field in (CRM, NUMBER, TAGS, DATE, PLAN))
BY_ID = shared(Matching.CUSTOM_SUB)
CUSTOM_LONG = replace(CUSTOM, item_limit=10 * LIMIT)
TOO_LONG = shared(Matching.CUSTOM, "x" * 1_025, CRM)
PROFILE = "0A" * 12

# what the item gives: (item, matching, match value)
VALUES: dict[str, tuple[Any, Shared, str | list[str]]] = {
    "its own key": ({"email": " Ann@Good.TEST ", "data": {"email": "b@b.test"}}, EMAIL, "ann@good.test"),
    "the one in data": ({"data": {"email": "b@b.test"}}, shared(root="r@r.test"), "b@b.test"),
    "the one at the root": ({"data": {}}, shared(root="r@r.test"), "r@r.test"),
    "as many bytes as there may be": ({"data": {"crm": "x" * 1_024}}, CUSTOM_LONG, "x" * 1_024),
    "null and empty text": ({"email": None, "data": {"email": ""}}, shared(root="r@r.test"), "r@r.test"),
    "nothing but white space": ({"email": " \u00a0", "data": {"email": "\u2003\n"}}, shared(root="r@r.test"), "r@r.test"),
    "an accent in one spelling": ({"field_value": "e\u0301", "data": {}}, CUSTOM, "\u00e9"),
    "a moment in UTC": ({"field_value": "2026-01-01T03:00:00+03:00", "data": {}}, DATED, "2026-01-01T00:00:00Z"),
    "a text that has a placeholder in it": ({"field_value": "null-7", "data": {}}, CUSTOM, "null-7"),
    "a custom_data of null": ({"data": {"email": "b@b.test"}, "custom_data": None}, EMAIL, "b@b.test"),
    "a phone": ({"phone": "+7 (900) 000-00-00", "data": {}}, PHONE, "+79000000000"),
    "phones as text": ({"data": {"phones": "+79000000000"}}, PHONE, "+79000000000"),
    "the first of its phones": ({"data": {"phones": ["+79000000001", "+79000000002"]}}, PHONE, "+79000000001"),
    "phones that are set": ({"data": {"phones": {"action": "set", "value": ["+79000000001"]}}}, PHONE, "+79000000001"),
    "an update beside a value of its own": (
        {"field_value": "vip", "data": {"crm": {"action": "add", "value": ["new"]}}},
        TAGGED,
        ["vip"],
    ),
    "an update and a value at the root": (
        {"data": {"crm": {"action": "add", "value": ["new"]}}},
        shared(Matching.CUSTOM, "vip", TAGS),
        ["vip"],
    ),
    "a number that is counted up from the one at the root": (
        {"data": {"crm": {"action": "incr", "value": 1}}},
        shared(Matching.CUSTOM, 5, NUMBER),
        "5",
    ),
    "phones that are unset": ({"data": {"phones": {"action": "unset"}}}, shared(Matching.PHONE, "+79000000003"), "+79000000003"),
    "no phones": ({"data": {"phones": []}}, shared(Matching.PHONE, "+79000000003"), "+79000000003"),
    "an id": ({"profile_id": PROFILE, "data": {}}, ID, PROFILE.lower()),
    "a field": ({"data": {"crm": "A-1"}}, CUSTOM, "A-1"),
    "an int": ({"field_value": 7, "data": {}}, INT, "7"),
    "an int as text": ({"field_value": "7", "data": {}}, INT, "7"),
    "an int by a string": ({"field_value": 7, "data": {}}, CUSTOM, "7"),
    "an int as text by a string": ({"field_value": "7", "data": {}}, CUSTOM, "7"),
    "an option's ordinal": ({"field_value": 1, "data": {}}, PLANNED, "pro"),
    "an option's ordinal as text": ({"field_value": "1", "data": {}}, PLANNED, "pro"),
    "a moment in Unix seconds": ({"field_value": 1_767_225_600, "data": {}}, DATED, "2026-01-01T00:00:00Z"),
    "tags in any order": ({"data": {"crm": ["b", "a"]}}, TAGGED, ["a", "b"]),
    "tags in a text": ({"data": {}, "field_value": "b, a"}, TAGGED, ["a", "b"]),
    "a tag with a comma": ({"data": {"crm": ["Ham, smoked"]}}, TAGGED, ["Ham, smoked"]),
    "an id of a messenger": ({"field_value": "0077", "data": {}}, BY_ID, "77"),
    "an id of a messenger as an int": ({"field_value": 77, "data": {}}, BY_ID, "77"),
    "an id of a messenger at the root": ({"data": {"id": 8}}, shared(Matching.CUSTOM_SUB, 77), "77"),
    "another mode's key": ({"phone": 5, "data": {"email": "b@b.test"}}, EMAIL, "b@b.test"),
}


@pytest.mark.promise("P-BATCH-10", "P-BATCH-17", "P-MATCH-07", "P-MATCH-12", "P-MATCH-24", "P-MATCH-33")
@pytest.mark.parametrize("what", VALUES)
def test_an_item_is_matched_by(what: str) -> None:
    item, by, value = VALUES[what]

    assert prepared(item, by).value == value


def failure(error_text: str, field: str | None = None, error: int = 400) -> dict[str, Any]:
    entry = {"error": error, "error_text": error_text}
    return entry if field is None else entry | {"field": field}


# what is wrong: (item, matching, entry)
FAILURES: dict[str, tuple[Any, Shared, dict[str, Any]]] = {
    "no match value": ({"data": {"email": None}}, EMAIL, failure("No match value", "email")),
    "no phone": ({"data": {"phones": [""]}}, PHONE, failure("No match value", "phone")),
    "no field value": ({"data": {}}, CUSTOM, failure("No match value", "field_value")),
    "an update": ({"data": {"crm": {"action": "add", "value": ["x"]}}}, TAGGED, failure("No match value", "field_value")),
    "an object with an action of no update": ({"data": {"crm": {"action": "jump"}}}, TAGGED, failure("Incorrect tags", "crm")),
    "a blank": ({"data": {"crm": "\u00a0 \u2003"}}, CUSTOM, failure("No match value", "field_value")),
    "a placeholder": ({"field_value": "[object Object]", "data": {}}, CUSTOM, failure("Placeholder", "field_value")),
    "a placeholder in data": ({"data": {"crm": " NaN\n"}}, CUSTOM, failure("Placeholder", "crm")),
    "a placeholder at the root": ({"data": {}}, shared(Matching.CUSTOM, "NULL", CRM), failure("Placeholder", "field_value")),
    "a match value that is too long": ({"data": {"crm": "\u00e9" * 300 + "x" * 425}}, CUSTOM, failure("Match value too long", "crm")),
    "an id in data": ({"data": {"profile_id": PROFILE}}, ID, failure("No match value", "profile_id")),
    "a malformed id": ({"profile_id": "7", "data": {}}, ID, failure("Profile not found", "profile_id", 404)),
    "a malformed email": ({"email": "ann", "data": {}}, EMAIL, failure("Incorrect email", "email")),
    "a malformed phone in data": ({"data": {"phones": 5}}, PHONE, failure("Incorrect phone", "phones")),
    "an incorrect field in data": ({"data": {"crm": "x"}}, INT, failure("Incorrect number", "crm")),
    "a field value that is a list": ({"field_value": ["a"], "data": {}}, TAGGED, failure("Incorrect value", "field_value")),
    "a field value that is a bool": ({"field_value": True, "data": {}}, CUSTOM, failure("Incorrect value", "field_value")),
    "a messenger's id that is none": ({"field_value": "seven", "data": {}}, BY_ID, failure("Incorrect number", "field_value")),
    "no messenger's id": ({"field_value": " ", "data": {"id": 7}}, BY_ID, failure("No match value", "field_value")),
    "Unix seconds as text": ({"field_value": "1767225600", "data": {}}, DATED, failure("Incorrect date", "field_value")),
    "a tag that is an int": ({"field_value": 7, "data": {}}, TAGGED, failure("Incorrect tags", "field_value")),
    "no object": ([], EMAIL, failure("Incorrect object")),
    "no data": ({"email": "a@b.test"}, EMAIL, failure("Incorrect object", "data")),
    "custom_data that is no object": ({"data": {"email": "a@b.test"}, "custom_data": 1}, EMAIL, failure("Incorrect object", "custom_data")),
    "an unknown key": ({"data": {"email": "a@b.test"}, "mail": 1}, EMAIL, failure("Unknown parameter", "mail")),
    "NUL in a field": ({"data": {"email": "a@b.test", "x": {"y": "\0"}}}, EMAIL, failure("Text cannot be stored", "x")),
    "NUL in a name": ({"data": {"email": "a@b.test", "\0": 1}}, EMAIL, failure("Text cannot be stored", "data")),
    "NUL in custom_data": (
        {"data": {"email": "a@b.test"}, "custom_data": {"\0": 1}},
        EMAIL,
        failure("Text cannot be stored", "custom_data"),
    ),
    "NUL in no object": (["\0"], EMAIL, failure("Text cannot be stored")),
    "one that is too long at the root": ({"data": {}}, TOO_LONG, failure("Match value too long", "field_value")),
    "custom_data that is too much": (
        {"data": {"email": "a@b.test"}, "custom_data": {"x": "x" * (LIMIT // 2)}},
        EMAIL,
        failure("Custom data too large", "custom_data"),
    ),
    "far too much": ({"data": {"email": "a@b.test", "x": [0] * 100 * LIMIT}}, EMAIL, failure("Item too large")),
    "too much": ({"data": {"email": "a@b.test", "x": "x" * LIMIT}}, EMAIL, failure("Item too large")),
    "far too many blanks in a text": ({"data": {"email": "a@b.test", "x": " " * 100 * LIMIT}}, EMAIL, failure("Item too large")),
}


@pytest.mark.promise("P-BATCH-11", "P-BATCH-13", "P-BATCH-17", "P-BATCH-21", "P-DATA-16")
@pytest.mark.promise("P-MATCH-23", "P-MATCH-24", "P-MATCH-25")
@pytest.mark.parametrize("what", FAILURES)
def test_an_item_fails_for(what: str) -> None:
    item, by, entry = FAILURES[what]
    with pytest.raises(ItemFailed) as failed:
        prepared(item, by)

    assert failed.value.entry() == entry


@pytest.mark.promise("P-HTTP-13")
@pytest.mark.parametrize(("blanks", "numbers", "fits"), [(100 * LIMIT, 1, True), (0, 10, True), (0, 70, False), (100 * LIMIT, 70, False)])
def test_an_item_is_measured_as_it_would_be_written_compactly(blanks: int, numbers: int, fits: bool) -> None:
    # `1e15` is written as 1000000000000000.0.
    written = b'{"data": {"email": "a@b.test", "x": [%s]}%s}' % (b",".join([b"1e15"] * numbers), b" \t\r\n" * (blanks // 4))
    try:
        prepare(msgspec.Raw(written), EMAIL)
    except ItemFailed:
        assert not fits
    else:
        assert fits


@pytest.mark.promise("P-OPS-17")
def test_a_failure_at_the_root_keeps_nothing_of_the_items_that_it_failed() -> None:
    for _ in range(3):
        with pytest.raises(ItemFailed):
            prepared({"data": {}}, TOO_LONG)

    kept = TOO_LONG.roots["field_value"]
    assert isinstance(kept, ItemFailed)
    assert kept.__traceback__ is None or kept.__traceback__.tb_frame.f_code.co_name == "_root_value"


@pytest.mark.promise("P-HTTP-13", "P-OPS-17")
def test_what_is_far_too_large_is_not_built() -> None:
    # Decoded, it would be no JSON that anybody keeps.
    written = b'{"data": {"email": "a@b.test", "x": [1e999%s]}}' % (b", 0" * 3 * LIMIT)
    with pytest.raises(ItemFailed, match="Item too large"):
        prepare(msgspec.Raw(written), EMAIL)


@pytest.mark.promise("P-FAMILY-06")
@pytest.mark.parametrize(
    ("item", "by", "value", "data", "custom_data"),
    [
        ({"email": "A@b.test", "custom_data": 7}, shared(shape=BARE_PROFILE), "a@b.test", {"email": "A@b.test", "custom_data": 7}, None),
        ({"data": {"email": "c@b.test"}}, shared(root="r@b.test", shape=BARE_PROFILE), "r@b.test", {"data": {"email": "c@b.test"}}, None),
        ({"email": "a@b.test", "custom_data": {"n": 1}}, shared(shape=KEYS_ONLY), "a@b.test", {}, {"n": 1}),
        ({}, shared(root="r@b.test", shape=KEYS_ONLY), "r@b.test", {}, None),
    ],
)
def test_an_item_may_be_a_bare_profile_or_what_finds_one(item: Any, by: Shared, value: str, data: Any, custom_data: Any) -> None:
    assert prepared(item, by)[1:] == (value, data, custom_data)


@pytest.mark.promise("P-FAMILY-13", "P-FAMILY-01", "P-BATCH-10")
@pytest.mark.parametrize(
    ("matching", "root", "field", "data", "alone", "among_many"),
    [
        (Matching.EMAIL, "old@b.test", None, {"email": "new@b.test"}, "old@b.test", "new@b.test"),
        (Matching.PHONE, "+79000000001", None, {"phones": ["+79000000002"]}, "+79000000001", "+79000000002"),
        (Matching.CUSTOM, 7, NUMBER, {"crm": "8"}, "7", "8"),
        (Matching.CUSTOM, 7, NUMBER, {"crm": {"action": "incr", "value": 1}}, "7", "7"),
        (Matching.EMAIL, None, None, {"email": "new@b.test"}, "new@b.test", "new@b.test"),
    ],
)
def test_the_roots_key_goes_before_a_profile_that_is_brought_alone(
    matching: Matching, root: int | str | None, field: Field | None, data: Any, alone: str, among_many: str
) -> None:
    assert prepared(data, shared(matching, root, field, ONE_PROFILE)).value == alone
    assert prepared(data, shared(matching, root, field, BARE_PROFILE)).value == among_many


@pytest.mark.promise("P-FAMILY-13")
def test_a_wrong_key_at_the_root_fails_the_profile_that_is_brought_alone() -> None:
    with pytest.raises(ItemFailed) as failed:
        prepared({"email": "new@b.test"}, shared(root="old", shape=ONE_PROFILE))

    assert failed.value.entry() == failure("Incorrect email", "email")


@pytest.mark.promise("P-FAMILY-13")
@pytest.mark.parametrize("model", [ImportAndStart, ImportProfile])
def test_calls_for_one_profile_look_at_the_root_first(model: type[BatchRequest]) -> None:
    assert model.SHAPE is ONE_PROFILE


@pytest.mark.promise("P-FAMILY-06", "P-DATA-16")
def test_a_bare_profile_that_cannot_be_stored_names_its_field() -> None:
    with pytest.raises(ItemFailed) as failed:
        prepared({"email": "a@b.test", "_fname": "\0"}, shared(shape=BARE_PROFILE))

    assert failed.value.entry()["field"] == "_fname"


def test_a_record_that_no_broker_takes_fails_its_item() -> None:
    written = record(new_id(), 0, Prepared(b"key", "a@b.test", {"x": "x" * 1_100_000}, None))
    with pytest.raises(ItemFailed, match="Item too large"):
        publishable(written)


def test_a_key_names_database_kind_and_value_but_not_the_mode() -> None:
    item = {"email": "a@b.test", "data": {}}

    assert prepared(item, EMAIL).key == prepared(item, shared(Matching.EMAIL_PROFILE)).key == b"1/email/a@b.test"
    assert prepared({"data": {"crm": "A"}}, CUSTOM).key == b"1/field/crm/A"
    assert len(prepared({"data": {"crm": "A" * 500}}, CUSTOM).key) < 100


@pytest.mark.parametrize("value", ["a@b.test", ["Ham, smoked", "b"]])
@pytest.mark.parametrize("custom_data", [None, {"row": 2**70}])
def test_a_record_is_what_the_message_defines(custom_data: dict[str, Any] | None, value: str | list[str]) -> None:
    item = Prepared(b"key", value, {"é": [1.5, 2**70, None, "\U0001f600"]}, custom_data)
    batch = new_id()
    _, written, headers = record(batch, 7, item)
    message = ProfileImport(batch=batch.hex(), item=7, value=item.value, data=item.data, custom_data=item.custom_data)

    assert ProfileImport.decode(written) == message == ProfileImport.decode(message.encode())
    assert headers == (("batch", batch.hex().encode()), ("item", b"7"))
