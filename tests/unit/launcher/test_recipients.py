"""Whom a launch reaches, and why it reaches nobody."""

from typing import Any

import pytest

from tests.launching import campaign, profile, subscription
from workers.launcher.deliver import outcomes, recipients
from workers.launcher.model import Recipient


@pytest.mark.promise("P-LAUNCH-05")
def test_the_lowest_priority_wins() -> None:
    person = profile([subscription("b@example.com", priority=2), subscription("a@example.com", priority=1)])

    assert recipients.choose(campaign(resource=24), person) == Recipient("a@example.com", person.subscriptions[1])


@pytest.mark.promise("P-LAUNCH-05")
def test_the_oldest_of_equal_ones_wins() -> None:
    person = profile([subscription("old@example.com", priority=1), subscription("new@example.com", priority=1)])

    assert recipients.choose(campaign(resource=24), person) == Recipient("old@example.com", person.subscriptions[0])


@pytest.mark.promise("P-LAUNCH-05")
@pytest.mark.parametrize("change", [{"status": "unsubscribed"}, {"resource_id": 25}, {"channel": "sms"}])
def test_a_subscription_of_no_use_is_passed_over(change: dict[str, object]) -> None:
    person = profile([subscription("no@example.com", priority=-1, **change), subscription("yes@example.com")], email="own@example.com")

    assert recipients.choose(campaign(resource=24), person) == Recipient("yes@example.com", person.subscriptions[1])


@pytest.mark.promise("P-LAUNCH-05")
@pytest.mark.parametrize(
    "odd",
    [
        None,
        "text",
        7,
        [],
        {},
        {"resource_id": 24},
        {"resource_id": 24, "channel": "email"},
        subscription("odd@example.com") | {"email": None},
        subscription("odd@example.com") | {"email": {"a": 1}},
        subscription("odd@example.com") | {"email": ""},
        subscription("odd@example.com") | {"channel": []},
        subscription("odd@example.com") | {"status": {}},
        subscription("odd@example.com") | {"priority": "high", "status": "unsubscribed"},
    ],
)
def test_a_stored_subscription_of_another_shape_is_none(odd: Any) -> None:
    person = profile([odd, subscription("yes@example.com")])

    assert recipients.choose(campaign(resource=24), person) == Recipient("yes@example.com", person.subscriptions[1])


@pytest.mark.parametrize("priority", ["high", None, [], {"a": 1}])
def test_a_priority_that_is_no_number_is_as_good_as_none(priority: Any) -> None:
    person = profile([subscription("b@example.com", priority=1), subscription("a@example.com", priority=priority)])

    assert recipients.choose(campaign(resource=24), person) == Recipient("a@example.com", person.subscriptions[1])


@pytest.mark.parametrize("email", [7, {"a": 1}, ["a@example.com"], ""])
def test_an_own_email_that_is_no_text_is_none(email: Any) -> None:
    assert recipients.choose(campaign(), profile(email=email)) is None


@pytest.mark.promise("P-LAUNCH-06")
@pytest.mark.parametrize("asks", [{"resource": None}, {"resource": 24, "unconditional_sending": True}])
def test_the_profiles_own_email_is_used_where_no_subscription_is_asked_for(asks: dict[str, object]) -> None:
    person = profile([subscription("sub@example.com")], email="own@example.com")

    assert recipients.choose(campaign(**asks), person) == Recipient("own@example.com")


@pytest.mark.promise("P-LAUNCH-07")
@pytest.mark.parametrize("asks", [{"resource": None}, {"resource": 24}])
def test_nobody_to_send_to_is_skipped(asks: dict[str, object]) -> None:
    assert outcomes.decide(campaign(**asks), profile([], _fname="Ann")) == outcomes.NO_SUBSCRIPTION


@pytest.mark.promise("P-LAUNCH-07")
def test_an_own_email_is_no_subscription() -> None:
    assert outcomes.decide(campaign(resource=24), profile([], email="own@example.com")) == outcomes.NO_SUBSCRIPTION


@pytest.mark.promise("P-LAUNCH-08")
@pytest.mark.parametrize("status", range(1, 7))
def test_a_profile_that_is_not_subscribed_is_skipped(status: int) -> None:
    assert outcomes.decide(campaign(), profile(email="a@example.com", _status=status)) == outcomes.PROFILE_STATUS


def test_a_subscribed_profile_is_sent_to() -> None:
    assert outcomes.decide(campaign(), profile(email="a@example.com", _status=0)) == Recipient("a@example.com")


@pytest.mark.promise("P-LAUNCH-09")
def test_a_trigger_that_was_switched_off_skips_all() -> None:
    assert outcomes.decide(campaign(active=False), profile(email="a@example.com", _status=1)) == outcomes.TRIGGER_INACTIVE


def test_a_profile_that_is_gone_is_skipped() -> None:
    assert outcomes.decide(campaign(), None) == outcomes.PROFILE_DELETED
