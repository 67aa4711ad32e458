"""Subscriptions: what is one, and how given ones join those that a profile has."""

from typing import Any

import pytest

from schemas.identities import identities_of
from schemas.ids import ResourceNumber
from schemas.item_errors import ItemFailed
from workers.matcher.subscribing import Subscription, merged, parse_subscriptions

RESOURCES = {ResourceNumber(24): "email", ResourceNumber(25): "sms", ResourceNumber(26): "push"}
OTHERS = {ResourceNumber(30): "telegram_bot", ResourceNumber(31): "viber", ResourceNumber(32): "our_app"}
ADA: Subscription = {"resource_id": 24, "channel": "email", "email": "ada@a.test", "status": "subscribed", "priority": 0}
STATE: Subscription = {"status": "subscribed", "priority": 0}

ODD: list[Any] = [
    {"resource_id": 24, "email": "odd@a.test"},
    {"channel": "email", "email": "odd@a.test"},
    {"resource_id": 24, "channel": "email"},
    {"resource_id": 24, "channel": "telepathy", "email": "odd@a.test"},
    {"resource_id": 24, "channel": ["email"], "email": "odd@a.test"},
    {"resource_id": 24, "channel": "email", "email": ["odd@a.test"]},
    {"resource_id": 30, "channel": "telegram_bot", "cc_data": [7]},
    {"resource_id": 30, "channel": "telegram_bot", "cc_data": {"id": True}},
    {"resource_id": 31, "channel": "viber", "cc_data": {"id": 7}},
    "odd@a.test",
]


def join(stored: list[Subscription], *given: Any) -> list[Subscription]:
    return merged(stored, parse_subscriptions(list(given), RESOURCES | OTHERS, skip_invalid=False))


def join_skipping(given: list[Any]) -> list[Subscription]:
    return merged([ADA], parse_subscriptions(given, RESOURCES | OTHERS, skip_invalid=True))


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


@pytest.mark.promise("P-SUBS-13")
def test_other_channels_have_their_address_inside_cc_data_and_keep_what_else_stands_there() -> None:
    telegram, viber, own = join(
        [],
        {"channel": "telegram_bot", "cc_data": {"id": "0077", "name": "Ада", "nick": None}},
        {"resource_id": 31, "cc_data": {"phone": "+7 900 000-00-00"}},
        {"channel": "our_app", "cc_data": {"phone": "+79000000000", "deep": {"a": [1]}}, "status": 1},
    )

    assert telegram == {"resource_id": 30, "channel": "telegram_bot", "cc_data": {"id": 77, "name": "Ада"}} | STATE
    assert viber == {"resource_id": 31, "channel": "viber", "cc_data": {"phone": "+79000000000"}} | STATE
    assert own["cc_data"] == {"phone": "+79000000000", "deep": {"a": [1]}}
    assert (own["channel"], own["status"]) == ("our_app", "unsubscribed")


@pytest.mark.promise("P-SUBS-13")
def test_one_inside_cc_data_is_known_by_its_address_alone() -> None:
    (held,) = join([], {"resource_id": 30, "cc_data": {"id": 77, "name": "Ada"}, "priority": 3})

    assert join([held], {"resource_id": 30, "cc_data": {"id": "77", "name": "Ада"}}) == [held | {"cc_data": {"id": 77, "name": "Ада"}}]
    assert len(join([held], {"resource_id": 30, "cc_data": {"id": 78}})) == 2


@pytest.mark.promise("P-SUBS-14")
def test_what_a_subscription_holds_may_be_changed_by_functional_updates_in_their_order() -> None:
    held = ADA | {"priority": 3, "cats": ["news", "old"], "custom_fields": {"size": "S", "deep": {"a": 1}}, "url": "https://a.test"}
    address = {"resource_id": 24, "email": "ada@a.test"}

    assert join(
        [held],
        address | {"priority": {"action": "incr", "value": -5}, "cats": {"action": "add", "value": ["new", "news"]}},
        address | {"cats": {"action": "delete", "value": "old"}, "url": {"action": "unset"}, "status": {"action": "set", "value": 2}},
        address | {"custom_fields": {"action": "upsert", "submatch": "deep.b", "value": 2}},
    ) == [
        ADA | {"priority": -2, "status": "complained", "cats": ["news", "new"], "custom_fields": {"size": "S", "deep": {"a": 1, "b": 2}}},
    ]
    assert join([ADA | {"custom_fields": {"size": "S"}}], address | {"custom_fields": {"action": "unset"}}) == [ADA]


@pytest.mark.promise("P-SUBS-14")
def test_a_new_one_begins_with_its_updates_and_any_key_may_be_set() -> None:
    given = {
        "resource_id": {"action": "set", "value": 24},
        "email": {"action": "set", "value": "ada@a.test"},
        "priority": {"action": "incr", "value": 2},
        "cats": {"action": "delete", "value": ["old"]},
        "custom_fields": {"action": "set", "value": {"action": "set"}},
        "ip": {"action": "set", "value": None},
    }

    assert join([], given) == [ADA | {"priority": 2, "custom_fields": {"action": "set"}}]


@pytest.mark.promise("P-SUBS-14")
def test_an_update_of_what_is_stored_in_another_shape_fails_the_item_and_changes_nothing() -> None:
    stored = [ADA | {"cats": "news"}, ADA | {"email": "bob@a.test", "priority": 2**31 - 1}]

    for given in ({"custom_fields": {"action": "upsert", "submatch": "a", "value": 1}},):
        with pytest.raises(ItemFailed, match="Incorrect object"):
            join([ADA | {"custom_fields": 7}], {"resource_id": 24, "email": "ada@a.test", **given})
    with pytest.raises(ItemFailed, match="Incorrect number"):
        join(stored, {"resource_id": 24, "email": "bob@a.test", "priority": {"action": "incr", "value": 1}})


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
    others: list[Any] = ["sms", None, "telegram", 7, []]
    for channel in others:
        with pytest.raises(ItemFailed, match="Unknown resource"):
            parse_subscriptions([{"channel": channel, "phone": "+79000000000"}], several, skip_invalid=False)


@pytest.mark.promise("P-DATA-32")
def test_more_than_a_thousand_are_too_many_and_are_not_all_looked_at() -> None:
    many = [{"resource_id": 24, "email": f"ada{number}@a.test"} for number in range(1_001)]

    assert len(join([], *many[1:], *many[1:])) == 1_000
    with pytest.raises(ItemFailed, match="Profile too large"):
        join([], *many, "not looked at")


@pytest.mark.promise("P-SUBS-15")
def test_an_item_gives_so_many_subscriptions_that_checking_them_takes_no_time() -> None:
    again = [ADA] * 1_999
    invalid: list[Any] = [{}] * 1_999

    assert join([], ADA, *again) == [ADA]
    assert join_skipping([ADA, *invalid]) == [ADA]
    for refused in ([ADA, ADA, *again], [ADA, ADA, *invalid]):
        with pytest.raises(ItemFailed, match="Profile too large"):
            join_skipping(refused)


@pytest.mark.promise("P-SUBS-15")
@pytest.mark.parametrize(
    "change", [{"cats": {"action": "add", "value": ["new"]}}, {"custom_fields": {"action": "upsert", "submatch": "a", "value": 1}}]
)
def test_one_is_changed_by_updates_no_more_than_ten_times_by_an_item(change: Subscription) -> None:
    """Each reads all that it holds: of 3,500 that fit an item, and a MiB of categories, this took four minutes."""
    ada, bob = ({"resource_id": 24, "email": f"{name}@a.test"} for name in ("ada", "bob"))

    assert len(join([], *[ada | change, ada, bob | change] * 10)) == 2
    with pytest.raises(ItemFailed, match="Incorrect action"):
        join([], *[ada | change] * 10, bob | change, ada | change)


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
    ({"resource_id": 30}, "Incorrect subscription address"),
    ({"resource_id": 30, "cc_data": 7}, "Incorrect subscription address"),
    ({"resource_id": 30, "cc_data": {"phone": "+79000000000"}}, "Incorrect subscription address"),
    ({"resource_id": 30, "cc_data": {"id": "seven"}}, "Incorrect number"),
    ({"resource_id": 30, "cc_data": {"id": 2**63}}, "Incorrect number"),
    ({"resource_id": 30, "phone": "+79000000000", "cc_data": {"id": 7}}, "Channel differs from the resource's"),
    ({"resource_id": 24, "email": "ada@a.test", "cc_data": {"id": 7}}, "Channel differs from the resource's"),
    ({"resource_id": 31, "cc_data": {"phone": "12345"}}, "Incorrect phone"),
    ({"resource_id": 32, "cc_data": {"id": 7}}, "Incorrect subscription address"),
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
    ({"resource_id": 30, "cc_data": {"id": 7, "name": "\ud800"}}, "Text cannot be stored"),
    ({"resource_id": 24, "email": "ada@a.test", "status": {"action": "unset"}}, "Incorrect action"),
    ({"resource_id": 24, "email": "ada@a.test", "status": {"action": "set"}}, "Incorrect action"),
    ({"resource_id": 24, "email": "ada@a.test", "status": {"action": "set", "value": 7}}, "Incorrect option"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": {"action": "unset"}}, "Incorrect action"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": {"action": "add", "value": [1]}}, "Incorrect action"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": {"action": "incr", "value": "much"}}, "Incorrect number"),
    ({"resource_id": 24, "email": "ada@a.test", "priority": {"action": "incr", "value": 2**31}}, "Incorrect number"),
    ({"resource_id": 24, "email": "ada@a.test", "cats": {"action": "upsert", "submatch": "a", "value": 1}}, "Incorrect action"),
    ({"resource_id": 24, "email": "ada@a.test", "cats": {"action": "cut", "value": ["a"]}}, "Incorrect action"),
    ({"resource_id": 24, "email": "ada@a.test", "custom_fields": {"action": "upsert", "value": 1}}, "Incorrect action"),
    ({"resource_id": 24, "email": {"action": "unset"}}, "Incorrect action"),
    ({"resource_id": {"action": "incr", "value": 1}, "email": "ada@a.test"}, "Incorrect action"),
    ({"resource_id": 24, "email": {"action": "delete", "value": ["a"]}}, "Incorrect action"),
]


@pytest.mark.promise("P-SUBS-05", "P-SUBS-11")
@pytest.mark.parametrize(("given", "error_text"), INVALID + MISTAKEN, ids=repr)
def test_an_invalid_one_fails_its_item(given: Any, error_text: str) -> None:
    with pytest.raises(ItemFailed) as raised:
        join([ADA], given)

    assert raised.value.why.text == error_text


@pytest.mark.promise("P-SUBS-06")
def test_an_invalid_one_is_dropped_where_that_is_asked_for() -> None:
    given = parse_subscriptions([*(each for each, _ in INVALID), ADA], RESOURCES | OTHERS, skip_invalid=True)

    assert merged([], given) == [ADA]


@pytest.mark.promise("P-SUBS-06", "P-SUBS-11")
@pytest.mark.parametrize(("given", "error_text"), MISTAKEN, ids=repr)
def test_a_mistake_is_never_dropped(given: Any, error_text: str) -> None:
    with pytest.raises(ItemFailed) as raised:
        join_skipping([given, ADA])

    assert raised.value.why.text == error_text


@pytest.mark.promise("P-SUBS-12")
@pytest.mark.parametrize("stored", ODD)
def test_a_stored_one_of_another_shape_stays_as_it_is_and_nobody_is_found_by_it(stored: Any) -> None:
    joined = join([stored, stored], ADA)

    assert joined == [stored, stored, ADA]
    assert identities_of({}, {}, joined) == identities_of({}, {}, [ADA])
