"""Subscriptions: what is one, and how given ones join those that a profile has."""

from typing import Any

import pytest

from schemas.failures import ItemFailed
from workers.matcher.subscribing import Subscription, merged, parse_subscriptions

RESOURCES = {24: "email", 25: "sms", 26: "push"}
ADA: Subscription = {"resource_id": 24, "channel": "email", "email": "ada@a.test", "status": "subscribed", "priority": 0}


def join(stored: list[Subscription], *given: Any) -> list[Subscription]:
    return merged(stored, parse_subscriptions(list(given), RESOURCES, skip_invalid=False))


@pytest.mark.promise("P-SUBS-01", "P-SUBS-03")
@pytest.mark.parametrize(
    "given",
    [
        {"resource_id": 24, "channel": "email", "email": " Ada@A.test "},
        {"resource_id": 24, "channel": "email", "email_data": {"email": "ada@a.test"}},
        {"resource_id": 24, "email": "ada@a.test", "email_data": {"email": "other@a.test"}},
        {"resource_id": 24, "email": "ada@a.test", "status": 0, "priority": None},
    ],
)
def test_flat_and_nested_mean_the_same_and_a_new_one_is_subscribed(given: Subscription) -> None:
    assert join([], given) == [ADA]


@pytest.mark.promise("P-SUBS-01")
def test_other_channels_have_other_addresses() -> None:
    sms, nested, push = join(
        [],
        {"resource_id": 25, "phone": "+7 900 000-00-00"},
        {"resource_id": 25, "phone_data": {"phone": "+79000000001"}},
        {"resource_id": 26, "provider": "android-firebase", "subscription_id": "x"},
    )

    assert (sms["channel"], sms["phone"], nested["phone"]) == ("sms", "+79000000000", "+79000000001")
    assert (push["channel"], push["provider"], push["subscription_id"]) == ("push", "android-firebase", "x")


@pytest.mark.promise("P-SUBS-02")
def test_a_known_one_is_changed_key_by_key_and_the_others_stay_where_they_are() -> None:
    bob = ADA | {"email": "bob@a.test", "priority": 3, "custom_fields": {"a": 1}}

    joined = join(
        [bob, ADA],
        {"resource_id": 24, "email": "bob@a.test", "status": "unsubscribed", "cats": ["news"]},
        {"resource_id": 24, "email": "new@a.test"},
    )

    assert joined == [bob | {"status": "unsubscribed", "cats": ["news"]}, ADA, ADA | {"email": "new@a.test"}]


@pytest.mark.promise("P-SUBS-02")
def test_the_same_address_twice_in_one_item_is_one_subscription() -> None:
    given = {"resource_id": 24, "email": "ada@a.test"}

    assert join([], given | {"priority": 1}, given | {"status": 2}) == [ADA | {"priority": 1, "status": "complained"}]


def test_null_forgets_them_all() -> None:
    assert merged([ADA], parse_subscriptions(None, RESOURCES, skip_invalid=False)) == []


INVALID: list[tuple[Any, str]] = [
    (7, "Incorrect subscriptions"),
    ({"email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": 99, "email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": "24", "email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": True, "email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": 24, "channel": "sms", "email": "ada@a.test"}, "Channel differs from the resource's"),
    ({"resource_id": 24}, "Incorrect email"),
    ({"resource_id": 24, "email": "ada"}, "Incorrect email"),
    ({"resource_id": 24, "email_data": "ada@a.test"}, "Incorrect subscriptions"),
    ({"resource_id": 25, "phone": "12345"}, "Incorrect phone"),
    ({"resource_id": 26, "provider": "android-firebase"}, "Incorrect subscription address"),
    ({"resource_id": 24, "email": "ada@a.test", "status": 7}, "Incorrect option"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": "1"}, "Incorrect number"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": 2**70}, "Incorrect number"),
    ({"resource_id": 24, "email": "ada@a.test", "custom_fields": []}, "Incorrect object"),
    ({"resource_id": 24, "email": "ada@a.test", "custom_fields": {"a": "\0"}}, "Text cannot be stored"),
    ({"resource_id": 24, "email": "ada@a.test", "cats": [1]}, "Incorrect tags"),
    ({"resource_id": 24, "email": "ada@a.test", "prio": 1}, "Unknown subscription key"),
]


@pytest.mark.promise("P-SUBS-05")
@pytest.mark.parametrize(("given", "error_text"), INVALID, ids=repr)
def test_an_invalid_one_fails_its_item(given: Any, error_text: str) -> None:
    with pytest.raises(ItemFailed) as raised:
        join([ADA], given)

    assert raised.value.error_text == error_text


@pytest.mark.promise("P-SUBS-06")
def test_an_invalid_one_is_dropped_where_that_is_asked_for() -> None:
    given = parse_subscriptions([*(each for each, _ in INVALID), ADA], RESOURCES, skip_invalid=True)

    assert merged([], given) == [ADA]
