"""What good input becomes: each row is a value as it is sent, and as `profiles/get` shows it."""

from typing import Any

import pytest

from tests.pipeline.stack import Json, Stack

# what is shown: (the field, what is sent, what is stored)
FIELDS: dict[str, tuple[str, Any, Any]] = {
    "an int": ("number", -7, -7),
    "an int as text": ("number", "9223372036854775807", 2**63 - 1),
    "a float": ("ratio", 0.5, 0.5),
    "a float as text": ("ratio", "1e3", 1000.0),
    "an int as a float": ("ratio", 2, 2.0),
    "a string": ("_fname", "Zoë", "Zoë"),
    "a string of nothing": ("_lname", "", ""),
    "a string from an int": ("_city", 42, "42"),
    "a boolean": ("consent", False, False),
    "a day": ("_bdate", "1990-12-31", "1990-12-31"),
    "a moment": ("since", "2026-01-02T03:04:05.1234567+03:00", "2026-01-02T00:04:05.123456Z"),
    "a moment in milliseconds": ("since", 1767225600000, "2026-01-01T00:00:00Z"),
    "an option": ("plan", "pro", "pro"),
    "an option by its ordinal": ("plan", 0, "free"),
    "a sex": ("_sex", "female", "female"),
    "a sex by its number": ("_sex", 1, "male"),
    "a status by its word": ("_status", "suspended", 5),
    "an IPv4": ("address", "203.0.113.9", "203.0.113.9"),
    "an IPv4 that is written as IPv6": ("address", "::ffff:203.0.113.9", "203.0.113.9"),
    "an IPv6": ("_ip", "2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
    "tags": ("interests", [" b ", "a", "b"], ["b", "a"]),
    "tags as text": ("interests", "a, B ,a", ["a", "B"]),
    "an object": ("settings", {"a": {"b": [1, None]}}, {"a": {"b": [1, None]}}),
    "objects": ("orders", [{"sku": 1}, {}], [{"sku": 1}, {}]),
    "an email": ("email", "  Stored@Shop.TEST ", "stored@shop.test"),
    "an email beyond ASCII": ("email", "Jörg@Bücher.example", "jörg@xn--bcher-kva.example"),
    "a phone": ("phones", "+7 (900) 000-00.01", ["+79000000001"]),
    "phones": ("phones", ["+79000000002", "+7-900-000-00-02", "+79000000003"], ["+79000000002", "+79000000003"]),
}

EMAIL = {"resource_id": 24, "channel": "email", "email": "sub@stored.test"}

# what is shown: (the subscription as it is sent, and as it is stored)
SUBSCRIPTIONS: dict[str, tuple[Json, Json]] = {
    "flat": (EMAIL, EMAIL | {"status": "subscribed", "priority": 0}),
    "nested": (
        {"resource_id": 24, "channel": "email", "email_data": {"email": "Sub@Stored.test"}},
        EMAIL | {"status": "subscribed", "priority": 0},
    ),
    "nested phone": (
        {"resource_id": 25, "channel": "sms", "phone_data": {"phone": "+7 900 000 00 04"}},
        {"resource_id": 25, "channel": "sms", "phone": "+79000000004", "status": "subscribed", "priority": 0},
    ),
    "status by its word": (EMAIL | {"status": "unsubscribed", "priority": 3}, EMAIL | {"status": "unsubscribed", "priority": 3}),
    "status by its number": (EMAIL | {"status": 1}, EMAIL | {"status": "unsubscribed", "priority": 0}),
}


@pytest.mark.promise("P-DATA-01", "P-DATA-03", "P-DATA-04", "P-DATA-05", "P-DATA-06", "P-DATA-07", "P-DATA-08", "P-DATA-09", "P-DATA-10")
@pytest.mark.promise("P-DATA-11", "P-DATA-12", "P-DATA-13", "P-DATA-14", "P-DATA-15", "P-DATA-18", "P-HTTP-28")
def test_a_value_is_stored_in_the_form_of_its_type(pipeline: Stack) -> None:
    stored = imported(pipeline, [{name: sent} for name, sent, _ in FIELDS.values()])

    shown = {what: profile[name] for (what, (name, *_)), profile in zip(FIELDS.items(), stored, strict=True)}
    assert shown == {what: kept for what, (_, _, kept) in FIELDS.items()}


@pytest.mark.promise("P-SUBS-01", "P-SUBS-03", "P-SUBS-04")
def test_a_subscription_is_stored_in_one_form(pipeline: Stack) -> None:
    stored = imported(pipeline, [{"subscriptions": [sent]} for sent, _ in SUBSCRIPTIONS.values()])

    shown = {what: profile["subscriptions"] for what, profile in zip(SUBSCRIPTIONS, stored, strict=True)}
    assert shown == {what: [kept] for what, (_, kept) in SUBSCRIPTIONS.items()}


@pytest.mark.promise("P-BATCH-17", "P-MATCH-07", "P-MATCH-13")
def test_a_field_value_is_an_int_or_text(pipeline: Stack) -> None:
    items = [{"field_value": 4711, "data": {}}, {"field_value": "4711", "data": {}}, {"field_value": True, "data": {}}]
    first, second, third = pipeline.import_and_start(items, matching="custom", field_name="number").body["result"]

    assert first == second
    assert pipeline.profile(first["profile_id"])["number"] == 4711
    assert (third["error"], third["field"]) == (400, "field_value")


def imported(pipeline: Stack, profiles: list[Json]) -> list[Json]:
    """Import each as a profile of its own; what is shown of them."""
    items = [{"field_value": f"stored-{number}", "data": data} for number, data in enumerate(profiles)]
    answer = pipeline.import_and_start(items, matching="custom", field_name="New_field_1", timeout={"days": 1})
    return [pipeline.profile(entry["profile_id"]) for entry in answer.body["result"]]
