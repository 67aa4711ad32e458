"""Pure: the subscriptions that an item gives, and how they join those that a profile has."""

from collections.abc import Callable, Mapping, Sequence

from schemas.blanks import is_blank
from schemas.channels import CHANNELS
from schemas.dates import date
from schemas.ids import ResourceNumber
from schemas.item_errors import ItemFailed, Why
from schemas.system_fields import status_word
from schemas.values import JsonValue, ip, storable, string

Subscription = dict[str, JsonValue]

_ADDRESS_KEYS = frozenset(key for row in CHANNELS.values() for key in row.keys)
_NESTED = {row.nested: row.keys[0] for row in CHANNELS.values() if row.nested}
_OWN = ("status", "priority", "custom_fields", "cats", "date", "ip", "url")
_KEYS = frozenset({"resource_id", "channel", *_NESTED, *_OWN, *_ADDRESS_KEYS})

# When, from where and at which page somebody subscribed.
_WHERE_AND_WHEN: Mapping[str, Callable[[object], JsonValue]] = {"date": date, "ip": ip, "url": string}

MOST_SUBSCRIPTIONS = 1_000


class InvalidSubscription(ItemFailed):
    """Nobody can be reached by it, which an item may choose to survive; any other mistake fails the item."""


def parse_subscriptions(value: JsonValue, resources: Mapping[ResourceNumber, str], *, skip_invalid: bool) -> list[Subscription]:
    """What `data.subscriptions` asks for: subscriptions to add or change, each known once."""
    if not isinstance(value, list):
        raise ItemFailed(Why.INCORRECT_SUBSCRIPTIONS)
    parsed: dict[tuple[JsonValue, ...], Subscription] = {}
    for one in value:
        try:
            subscription = _parse(one, resources)
        except InvalidSubscription:
            if not skip_invalid:
                raise
            continue
        key = _key(subscription)
        parsed[key] = parsed[key] | subscription if key in parsed else subscription
        # Before thousands more are checked.
        if len(parsed) > MOST_SUBSCRIPTIONS:
            raise ItemFailed(Why.PROFILE_TOO_LARGE)
    return list(parsed.values())


def merged(stored: Sequence[Subscription], given: Sequence[Subscription]) -> list[Subscription]:
    """Known by resource and address, changed key by key; the order in which they were added stays."""
    kept = {_stored_key(subscription, at): subscription for at, subscription in enumerate(stored)}
    for subscription in given:
        key = _key(subscription)
        kept[key] = {"status": "subscribed", "priority": 0, **kept.get(key, {}), **subscription}
    return list(kept.values())


def _key(subscription: Subscription) -> tuple[JsonValue, ...]:
    return subscription["resource_id"], *(subscription[key] for key in CHANNELS[subscription["channel"]].keys)


def _stored_key(subscription: Subscription, at: int) -> tuple[JsonValue, ...]:
    """One of another shape, which may be older than today's rules, is like no other, and stays as it is."""
    try:
        key = _key(subscription)
        hash(key)
    except (KeyError, TypeError):
        return (at,)
    return key


def _parse(given: JsonValue, resources: Mapping[ResourceNumber, str]) -> Subscription:
    flat = _flattened(given)
    settings = _settings(flat)
    resource, channel = _resource(flat, resources)
    return {"resource_id": resource, "channel": channel, **_address(flat, channel), **settings}


def _flattened(given: JsonValue) -> Subscription:
    """`email_data: {email}` means the same as `email`; where both are given the flat one counts. Null is not given."""
    if not isinstance(given, dict):
        raise ItemFailed(Why.INCORRECT_SUBSCRIPTIONS)
    if not given.keys() <= _KEYS:
        raise ItemFailed(Why.UNKNOWN_SUBSCRIPTION_KEY)
    flat: Subscription = {}
    nested: Subscription = {}
    for key, value in given.items():
        if value is None:
            continue
        if key in _NESTED:
            nested |= _inside(value, _NESTED[key])
        else:
            flat[key] = value
    return nested | flat


def _inside(inner: JsonValue, known: str) -> Subscription:
    if not isinstance(inner, dict):
        raise ItemFailed(Why.INCORRECT_SUBSCRIPTIONS)
    if not inner.keys() <= {known}:
        raise ItemFailed(Why.UNKNOWN_SUBSCRIPTION_KEY)
    return {key: value for key, value in inner.items() if value is not None}


def _resource(flat: Subscription, resources: Mapping[ResourceNumber, str]) -> tuple[ResourceNumber, str]:
    """The resource and its channel; it may be left out where the channel has one only."""
    resource = flat["resource_id"] if "resource_id" in flat else _only_one_of(flat.get("channel"), resources)
    if type(resource) is not int or resource not in resources:
        raise InvalidSubscription(Why.UNKNOWN_RESOURCE)
    number = ResourceNumber(resource)
    channel = resources[number]
    # An address of another channel would be lost silently.
    if flat.get("channel", channel) != channel or _ADDRESS_KEYS.difference(CHANNELS[channel].keys).intersection(flat):
        raise InvalidSubscription(Why.CHANNEL_DIFFERS)
    return number, channel


def _only_one_of(channel: JsonValue, resources: Mapping[ResourceNumber, str]) -> ResourceNumber | None:
    numbers = [number for number, of in resources.items() if of == channel]
    return numbers[0] if len(numbers) == 1 else None


def _address(flat: Subscription, channel: str) -> Subscription:
    row = CHANNELS[channel]
    parts = {key: flat.get(key) for key in row.keys}
    if row.normal is not None:
        try:
            return {key: row.normal(part) for key, part in parts.items()}
        except ItemFailed as failed:
            raise InvalidSubscription(failed.why) from None
    if any(not isinstance(part, str) or is_blank(part) for part in parts.values()):
        raise InvalidSubscription(Why.INCORRECT_SUBSCRIPTION_ADDRESS)
    return {key: storable(part) for key, part in parts.items()}


def _settings(flat: Subscription) -> Subscription:
    """The keys that the item gives; what it does not give stays as it is."""
    settings = {key: flat[key] for key in _OWN if key in flat}
    if not settings:
        return settings
    if "status" in settings:
        settings["status"] = status_word(settings["status"])
    if type(settings.get("priority", 0)) is not int or abs(settings.get("priority", 0)) >= 2**31:
        raise ItemFailed(Why.INCORRECT_NUMBER)
    if not isinstance(settings.get("custom_fields", {}), dict):
        raise ItemFailed(Why.INCORRECT_OBJECT)
    cats = settings.get("cats", [])
    if not isinstance(cats, list) or not all(isinstance(cat, str) for cat in cats):
        raise ItemFailed(Why.INCORRECT_TAGS)
    for key, normal in _WHERE_AND_WHEN.items():
        if key in settings:
            settings[key] = normal(settings[key])
    return storable(settings)  # type: ignore[no-any-return]
