"""Subscriptions: what is one, and how given ones join those that a profile has."""

from typing import Any

import pytest

from schemas.identities import identities_of
from schemas.ids import ResourceNumber
from schemas.item_errors import ItemFailed
from workers.matcher.subscribing import Subscription, merged, parse_subscriptions

RESOURCES = {ResourceNumber(24): "email", ResourceNumber(25): "sms", ResourceNumber(26): "push"}
ADA: Subscription = {"resource_id": 24, "channel": "email", "email": "ada@a.test", "status": "subscribed", "priority": 0}

ODD: list[Any] = [
    {"resource_id": 24, "email": "odd@a.test"},
    {"channel": "email", "email": "odd@a.test"},
    {"resource_id": 24, "channel": "email"},
    {"resource_id": 24, "channel": "telepathy", "email": "odd@a.test"},
    {"resource_id": 24, "channel": ["email"], "email": "odd@a.test"},
    {"resource_id": 24, "channel": "email", "email": ["odd@a.test"]},
    "odd@a.test",
]


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


@pytest.mark.promise("P-SUBS-09")
def test_null_is_not_given_at_any_depth() -> None:
    nulls = dict.fromkeys(("channel", "phone", "provider", "email_data", "status", "priority", "custom_fields", "cats"))

    assert join([], nulls | {"resource_id": 24, "email": "ada@a.test", "phone_data": {"phone": None}}) == [ADA]
    assert join([], {"resource_id": None, "channel": "email", "email": None, "email_data": {"email": "ada@a.test"}}) == [ADA]


@pytest.mark.promise("P-SUBS-10")
def test_a_resource_may_be_left_out_where_the_channel_has_one_only() -> None:
    assert join([], {"channel": "email", "email": "ada@a.test"}) == [ADA]
    several = RESOURCES | {ResourceNumber(27): "sms"}
    others: list[Any] = ["sms", None, "telegram_bot", 7, []]
    for channel in others:
        with pytest.raises(ItemFailed, match="Unknown resource"):
            parse_subscriptions([{"channel": channel, "phone": "+79000000000"}], several, skip_invalid=False)


@pytest.mark.promise("P-DATA-32")
def test_more_than_a_thousand_are_too_many_and_are_not_all_looked_at() -> None:
    many = [{"resource_id": 24, "email": f"ada{number}@a.test"} for number in range(1_001)]

    assert len(join([], *many[1:], *many[1:])) == 1_000
    with pytest.raises(ItemFailed, match="Profile too large"):
        join([], *many, "not looked at")


# Nobody can be reached by these.
INVALID: list[tuple[Any, str]] = [
    ({"email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": 99, "email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": "24", "email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": True, "email": "ada@a.test"}, "Unknown resource"),
    ({"resource_id": 24, "channel": "sms", "email": "ada@a.test"}, "Channel differs from the resource's"),
    ({"resource_id": 24, "channel": ["email"], "email": "ada@a.test"}, "Channel differs from the resource's"),
    ({"resource_id": 24, "email": "ada@a.test", "phone": "+79000000000"}, "Channel differs from the resource's"),
    ({"resource_id": 24, "phone_data": {"phone": "+79000000000"}}, "Channel differs from the resource's"),
    ({"resource_id": 24}, "Incorrect email"),
    ({"resource_id": 24, "email": "ada"}, "Incorrect email"),
    ({"resource_id": 25, "phone": "12345"}, "Incorrect phone"),
    ({"resource_id": 26, "provider": "android-firebase"}, "Incorrect subscription address"),
    ({"resource_id": 26, "provider": "android-firebase", "subscription_id": "\u00a0"}, "Incorrect subscription address"),
]
# These are mistakes, whether somebody can be reached or not.
MISTAKEN: list[tuple[Any, str]] = [
    (7, "Incorrect subscriptions"),
    (None, "Incorrect subscriptions"),
    ({"resource_id": 24, "email_data": "ada@a.test"}, "Incorrect subscriptions"),
    ({"resource_id": 24, "email_data": {"emial": 1, "email": "ada@a.test"}}, "Unknown subscription key"),
    ({"resource_id": 24, "email_data": {"emial": None}, "email": "ada@a.test"}, "Unknown subscription key"),
    ({"resource_id": 24, "phone_data": {"email": "ada@a.test"}}, "Unknown subscription key"),
    ({"resource_id": 24, "email": "ada@a.test", "status": 7}, "Incorrect option"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": "1"}, "Incorrect number"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": 2**70}, "Incorrect number"),
    ({"resource_id": 24, "email": "ada@a.test", "custom_fields": []}, "Incorrect object"),
    ({"resource_id": 24, "email": "ada@a.test", "custom_fields": {"a": "\0"}}, "Text cannot be stored"),
    ({"resource_id": 24, "email": "ada@a.test", "cats": [1]}, "Incorrect tags"),
    ({"resource_id": 24, "email": "ada@a.test", "prio": 1}, "Unknown subscription key"),
    ({"resource_id": 24, "email": "ada@a.test", "prio": None}, "Unknown subscription key"),
    ({"resource_id": 99, "email": "ada", "status": 7}, "Incorrect option"),
    ({"resource_id": 26, "provider": "android-firebase", "subscription_id": "\0"}, "Text cannot be stored"),
]


@pytest.mark.promise("P-SUBS-05", "P-SUBS-11")
@pytest.mark.parametrize(("given", "error_text"), INVALID + MISTAKEN, ids=repr)
def test_an_invalid_one_fails_its_item(given: Any, error_text: str) -> None:
    with pytest.raises(ItemFailed) as raised:
        join([ADA], given)

    assert raised.value.why.text == error_text


@pytest.mark.promise("P-SUBS-06")
def test_an_invalid_one_is_dropped_where_that_is_asked_for() -> None:
    given = parse_subscriptions([*(each for each, _ in INVALID), ADA], RESOURCES, skip_invalid=True)

    assert merged([], given) == [ADA]


@pytest.mark.promise("P-SUBS-06", "P-SUBS-11")
@pytest.mark.parametrize(("given", "error_text"), MISTAKEN, ids=repr)
def test_a_mistake_is_never_dropped(given: Any, error_text: str) -> None:
    with pytest.raises(ItemFailed) as raised:
        parse_subscriptions([given, ADA], RESOURCES, skip_invalid=True)

    assert raised.value.why.text == error_text


@pytest.mark.promise("P-SUBS-12")
@pytest.mark.parametrize("stored", ODD)
def test_a_stored_one_of_another_shape_stays_as_it_is_and_nobody_is_found_by_it(stored: Any) -> None:
    joined = join([stored, stored], ADA)

    assert joined == [stored, stored, ADA]
    assert identities_of({}, {}, joined) == identities_of({}, {}, [ADA])
