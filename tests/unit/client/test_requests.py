"""What goes over the wire: the same bytes for the same items, within the limits, and files in front."""

import json
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import schemas.matching
from ingest.endpoints.batch_parameters import ImportAndStartBatch
from ingest.endpoints.profiles import GetProfile
from profuse_client import File, ImportingAndStarting, Item, Limits, MatchBy, Matching
from profuse_client.calls import Call, body, import_and_start, import_profiles, start
from profuse_client.cutting import Part
from profuse_client.encoding import Unsendable, encoded
from profuse_client.parameters import waiting

PLAIN = import_and_start(8, {})


def parts(call: Call, items: Any, limits: Limits) -> list[Part]:
    cutter = call.cutter(limits, call.beginning())
    cut = [part for item in items if (part := cutter.add(item))]
    last = cutter.end()
    return cut if last is None else [*cut, last]


def sent(call: Call, part: Part) -> bytes:
    return b"".join(body(call.beginning(), part.written))


@pytest.mark.promise("P-CLIENT-02", "P-CLIENT-06")
@given(st.lists(st.one_of(st.text(max_size=60), st.just(float("nan"))), max_size=40), st.integers(70, 300), st.integers(1, 9))
def test_parts_hold_every_item_once_in_order_and_within_the_limits(names: list[Any], most_bytes: int, most: int) -> None:
    cut = parts(PLAIN, ({"n": name} for name in names), Limits(most, most_bytes))
    found: dict[int, Any] = {}
    for part in cut:
        whole = sent(PLAIN, part)
        items = iter(json.loads(whole)["data"])

        assert part.count <= most
        assert len(whole) <= most_bytes or not part.sent
        for index in range(part.first, part.first + part.count):
            found[index] = part.failed.get(index) or next(items)["data"]["n"]
        assert next(items, None) is None
    assert list(found) == list(range(len(names)))
    assert [part.number for part in cut] == list(range(len(cut)))
    assert all(found[index] == name or index in cut[-1].failed or found[index].index == index for index, name in enumerate(names))


@pytest.mark.promise("P-CLIENT-02")
def test_files_count_in_the_whole_and_stand_in_front() -> None:
    call = import_and_start(8, {"attach": File("a.bin", bytes(3_000), "text/plain"), "content": {"page": "x"}})
    (part,) = parts(call, [{"email": "a@b.test"}], Limits(bytes=1_000, bytes_with_files=5_000))
    whole = sent(call, part)

    assert whole.startswith(b'{"attach":[{"name":"a.bin","data":"data:text/plain;base64,')
    assert json.loads(whole)["content"] == {"page": "x"}
    with pytest.raises(ValueError, match="leave no room for items"):
        parts(call, [], Limits(bytes=1_000, bytes_with_files=4_000))
    with pytest.raises(ValueError, match="leave no room for items"):
        parts(import_and_start(8, {"content": {"page": "x" * 1_000}}), [], Limits(bytes=1_000))


@pytest.mark.promise("P-CLIENT-03")
def test_cutting_a_stream_holds_one_part_of_it() -> None:
    cutter = PLAIN.cutter(Limits(profiles=1_000), PLAIN.beginning())
    tracemalloc.start()
    for number in range(20_000):
        cutter.add({"email": f"p{number}@cut.test", "_fname": "x" * 100})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1_000_000


@pytest.mark.promise("P-CLIENT-01")
def test_items_are_written_as_each_call_takes_them() -> None:
    item = Item({"_fname": "Ann"}, custom_data={"row": 1}, keys={"field_value": "A-1"})

    assert PLAIN.shape(item) == {"field_value": "A-1", "data": {"_fname": "Ann"}, "custom_data": {"row": 1}}
    assert PLAIN.shape({"_fname": "Ann"}) == {"data": {"_fname": "Ann"}}
    assert import_profiles(1, {}).shape({"_fname": "Ann"}) == {"_fname": "Ann"}
    assert start(8, {}).shape({"email": "a@b.test"}) == {"email": "a@b.test"}


@pytest.mark.promise("P-CLIENT-01")
def test_dates_numbers_and_lone_surrogates_are_written_as_the_server_reads_them() -> None:
    profile = {"at": datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "on": date(2026, 1, 2), "sum": Decimal("1.50"), "name": "Яна"}

    assert encoded(profile).decode() == '{"at":"2026-01-02T03:04:00+00:00","on":"2026-01-02","sum":"1.50","name":"Яна"}'
    assert encoded("\ud800") == b'"\\ud800"'


@pytest.mark.promise("P-CLIENT-01")
def test_a_time_to_wait_is_days_hours_and_minutes() -> None:
    assert waiting(timedelta(days=2, hours=5, minutes=7)) == {"days": 2, "hours": 5, "minutes": 7}
    assert waiting({"minutes": 90}) == {"minutes": 90}
    for wrong in (timedelta(seconds=30), timedelta(minutes=-1)):
        with pytest.raises(ValueError, match="whole minutes"):
            waiting(wrong)


@pytest.mark.promise("P-CLIENT-01")
def test_the_client_knows_every_way_of_matching_and_every_parameter_of_the_server() -> None:
    sent = ImportingAndStarting.__annotations__.keys() | {"trigger_id", "data"}

    assert set(get_args(Matching)) == {each.value for each in schemas.matching.Matching}
    assert sent == ImportAndStartBatch.model_fields.keys() - {"token", "format"}
    assert MatchBy.__annotations__.keys() | {"db_id"} == GetProfile.model_fields.keys() - {"token"}


@pytest.mark.promise("P-CLIENT-06")
@pytest.mark.parametrize("levels", [31, 500, 900, 2_000])
def test_what_is_nested_too_deeply_is_told_however_deep_it_is(levels: int) -> None:
    nested: list[Any] = []
    for _ in range(levels - 1):
        nested = [nested]
    with pytest.raises(Unsendable, match="Cannot be sent: "):
        encoded(nested)
