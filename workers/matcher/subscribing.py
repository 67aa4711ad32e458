"""Pure: the subscriptions that an item gives, and how they join those that a profile has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.addresses import normal_email, normal_phone
from schemas.failures import ItemFailed
from schemas.fields import status_word
from schemas.values import JsonValue, storable

Subscription = dict[str, JsonValue]

# The keys that hold an address, by channel.
_ADDRESS = {"email": ("email",), "sms": ("phone",), "push": ("provider", "subscription_id")}
_NESTED = ("email_data", "phone_data")
_OWN = ("status", "priority", "custom_fields", "cats")
_KEYS = frozenset({"resource_id", "channel", *_NESTED, *_OWN, *(key for keys in _ADDRESS.values() for key in keys)})


@dataclass(frozen=True)
class Given:
    """Subscriptions to add or change; `instead` of all that the profile had."""

    subscriptions: Sequence[Subscription]
    instead: bool = False


def parse_subscriptions(value: JsonValue, resources: Mapping[int, str], *, skip_invalid: bool) -> Given:
    """What `data.subscriptions` asks for; null forgets all of them."""
    if value is None:
        return Given([], instead=True)
    if not isinstance(value, list):
        raise ItemFailed(400, "Incorrect subscriptions")
    parsed = []
    for one in value:
        try:
            parsed.append(_parse(one, resources))
        except ItemFailed:
            if not skip_invalid:
                raise
    return Given(parsed)


def merged(stored: Sequence[Subscription], given: Given) -> list[Subscription]:
    """Known by resource and address, changed key by key; the order in which they were added stays."""
    kept = {} if given.instead else {_key(subscription): subscription for subscription in stored}
    for subscription in given.subscriptions:
        key = _key(subscription)
        kept[key] = {"status": "subscribed", "priority": 0, **kept.get(key, {}), **subscription}
    return list(kept.values())


def _key(subscription: Subscription) -> tuple[JsonValue, ...]:
    return subscription["resource_id"], *(subscription[key] for key in _ADDRESS[subscription["channel"]])


def _parse(given: JsonValue, resources: Mapping[int, str]) -> Subscription:
    if not isinstance(given, dict):
        raise ItemFailed(400, "Incorrect subscriptions")
    if not given.keys() <= _KEYS:
        raise ItemFailed(400, "Unknown subscription key")
    resource = given.get("resource_id")
    if type(resource) is not int or resource not in resources:
        raise ItemFailed(400, "Unknown resource")
    channel = resources[resource]
    if given.get("channel", channel) != channel:
        raise ItemFailed(400, "Channel differs from the resource's")
    return {"resource_id": resource, "channel": channel, **_address(given, channel), **_settings(given)}


def _address(given: Mapping[str, JsonValue], channel: str) -> Subscription:
    flat = _flattened(given)
    match channel:
        case "email":
            return {"email": normal_email(flat.get("email"))}
        case "sms":
            return {"phone": normal_phone(flat.get("phone"))}
    parts = {key: flat.get(key) for key in _ADDRESS[channel]}
    if not all(isinstance(part, str) and part for part in parts.values()):
        raise ItemFailed(400, "Incorrect subscription address")
    return {key: storable(part) for key, part in parts.items()}


def _flattened(given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """`email_data: {email}` means the same as `email`; where both are given the flat one counts."""
    nested: dict[str, JsonValue] = {}
    for key in _NESTED:
        inner = given.get(key, {})
        if not isinstance(inner, dict):
            raise ItemFailed(400, "Incorrect subscriptions")
        nested |= inner
    return {**nested, **given}


def _settings(given: Mapping[str, JsonValue]) -> Subscription:
    """The keys that the item gives; null leaves a key as it is."""
    settings = {key: given[key] for key in _OWN if given.get(key) is not None}
    if "status" in settings:
        settings["status"] = status_word(settings["status"])
    if type(settings.get("priority", 0)) is not int or abs(settings.get("priority", 0)) >= 2**31:
        raise ItemFailed(400, "Incorrect number")
    if not isinstance(settings.get("custom_fields", {}), dict):
        raise ItemFailed(400, "Incorrect object")
    cats = settings.get("cats", [])
    if not isinstance(cats, list) or not all(isinstance(cat, str) for cat in cats):
        raise ItemFailed(400, "Incorrect tags")
    return storable(settings)  # type: ignore[no-any-return]
