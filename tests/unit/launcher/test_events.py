"""What the world hears."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec import UNSET

from schemas import ids
from schemas.events import ProfileEvent
from schemas.settings import KIB, MIB, Settings
from schemas.topics import LARGEST_RECORD
from tests.launching import NOBODY, campaign, claimed, of_import
from workers.launcher import events
from workers.launcher.deliver.endings import PutOff
from workers.launcher.deliver.telling import Settled, parts
from workers.launcher.deliver.work import Work
from workers.launcher.groups.leases import Lease
from workers.launcher.model import Due, Ending, Outcome

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
LATER = datetime(2026, 1, 2, 4, tzinfo=UTC)
BATCH = b"\x01" * 12
IMPORTED = events.Imported(1, 3, BATCH, 5, NOBODY, "ann@example.com", {"order": 17, "note": None})


@pytest.mark.promise("P-EVENT-03")
def test_an_import_event_says_whose_item_it_was() -> None:
    assert json.loads(of_import(IMPORTED, NOW).encode()) == {
        "v": 1,
        "event_id": ids.event_id("01" * 12 + "/5", "import_api"),
        "event_type": "import_api",
        "event_date": "2026-01-02T03:04:05.000006+00:00",
        "profile_id": "07" * 12,
        "_md5": "257c57037d384ae37ea27a07e8a01665",
        "list_id": 3,
        "account_id": 1,
        "custom_data": {"order": 17, "note": None},
        "event_data": {"batch_id": "01" * 12, "item": 5},
    }


@pytest.mark.promise("P-EVENT-02")
@pytest.mark.parametrize("ending", list(Ending))
def test_a_launch_fires_and_then_ends_in_one_way(ending: Ending) -> None:
    fired = events.of_firing(IMPORTED, campaign(), events.Told("1a2b"), NOW.isoformat())
    ended = events.of_ending(IMPORTED, campaign(), events.Told("1a2b"), Outcome(ending), NOW.isoformat())

    assert [fired.event_type, ended.event_type] == ["launch", ending]


@pytest.mark.promise("P-EVENT-03")
def test_a_launch_event_names_campaign_launch_reason_and_subscription() -> None:
    outcome = Outcome(Ending.FAIL, "550 no such user", {"email": "ann@example.com"})

    ended = events.of_ending(IMPORTED, campaign(), events.Told("1a2b"), outcome, NOW.isoformat())

    assert ended.event_data == {"batch_id": "01" * 12, "item": 5, "campaign_id": 8, "launch_id": "1a2b", "reason": "550 no such user"}
    assert ended.subscription == {"email": "ann@example.com"}


@pytest.mark.promise("P-EVENT-04")
def test_a_repeat_has_the_same_ids_whenever_it_happens() -> None:
    first, again = (
        [
            events.of_firing(IMPORTED, campaign(), events.Told("1a2b"), moment.isoformat()).event_id,
            events.of_ending(IMPORTED, campaign(), events.Told("1a2b"), Outcome(Ending.SEND), moment.isoformat()).event_id,
        ]
        for moment in (NOW, LATER)
    )

    assert first == again
    assert len(set(first)) == 2


def test_a_profile_without_email_has_no_hash() -> None:
    assert events.md5(None) is UNSET


@pytest.mark.promise("P-EVENT-07")
@pytest.mark.parametrize("cloud", [True, False])
def test_an_event_has_the_headers_of_cloudevents_where_they_are_wanted_and_the_same_body(cloud: bool) -> None:
    event = of_import(IMPORTED, NOW)
    record = events.outgoing("t.events", event, cloud=cloud)

    assert (record.topic, record.key, record.value) == ("t.events", event.profile_id.encode(), event.encode())
    named = {name: value.decode() for name, value in record.headers}
    wanted = {"ce_specversion": "1.0", "ce_id": event.event_id, "ce_type": "profuse.import_api", "ce_time": event.event_date}
    assert named.items() >= (wanted if cloud else {}).items()
    assert bool(named) is cloud


LARGEST_CUSTOM_DATA = 400 * KIB


@pytest.mark.promise("P-EVENT-10")
def test_custom_data_of_root_and_item_at_the_largest_limit_fit_into_an_event_that_the_broker_takes() -> None:
    settings = Settings(custom_data_limit=LARGEST_CUSTOM_DATA)

    record = events.outgoing_of(settings)(of_import(_says({"root": _long(), "item": _long()}), NOW))

    assert 2 * LARGEST_CUSTOM_DATA - KIB < len(record.value) <= LARGEST_RECORD


@pytest.mark.promise("P-EVENT-10")
def test_a_subscription_that_an_event_has_no_room_for_is_left_out() -> None:
    sent = Outcome(Ending.SEND, subscription={"email": "ann@example.com", "custom_fields": {"note": "x" * (MIB // 2)}})
    fits, does_not = (
        events.of_ending(_says(given), campaign(), events.Told("1a2b"), sent, NOW.isoformat())
        for given in ({"root": _long()}, {"root": _long(), "item": _long()})
    )

    assert _left(fits) == fits
    assert _left(does_not) == msgspec.structs.replace(does_not, subscription=UNSET)


def _says(custom_data: dict[str, str]) -> events.Imported:
    return IMPORTED._replace(custom_data=custom_data)


def _long() -> str:
    return "x" * (LARGEST_CUSTOM_DATA - 100)


def _left(event: ProfileEvent) -> ProfileEvent:
    return ProfileEvent.decode(events.outgoing("t.events", event, cloud=False).value)


@pytest.mark.promise("P-EVENT-02", "P-EVENT-04")
@pytest.mark.parametrize("ended", [PutOff("cut off"), PutOff("cut off", counts=False)])
def test_that_a_launch_fired_is_told_with_the_first_attempt_that_counts(ended: PutOff) -> None:
    work = Work(claimed(), Lease(timedelta(seconds=30), 0.0, []), asyncio.Event())
    due = {0: Due(0, "1a2b", NOBODY, None)}

    settled = Settled(work, campaign(), due, {0: ended})
    told = [record for _, records in parts(events.outgoing_of(Settings()), settled, NOW.isoformat()) for record in records]

    assert len(told) == ended.counts
