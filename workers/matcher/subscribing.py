"""Pure: the subscriptions that an item gives, and how they join those that a profile has."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.actions import as_given
from schemas.blanks import is_blank
from schemas.channels import CHANNELS, Channel, channel
from schemas.dates import date
from schemas.fields import Field, FieldType
from schemas.ids import ResourceNumber
from schemas.item_errors import ItemFailed, Why
from schemas.levels import is_deeper
from schemas.system_fields import status_word
from schemas.values import JsonValue, ip, storable, string
from workers.matcher import updates
from workers.matcher.bounds import MOST_SUBSCRIPTIONS, SUBSCRIPTION_LEVELS
from workers.matcher.updates import Unset, Update

Subscription = dict[str, JsonValue]

_ADDRESS_KEYS = frozenset(key for row in CHANNELS.values() for key in row.keys)
_NESTED = {row.nested: row.keys[0] for row in CHANNELS.values() if row.nested}
# What may be changed by a functional update, as the field that it would be; a text can only be set or unset.
_OWN: Mapping[str, Field] = {
    "status": Field(type=FieldType.STRING),
    "priority": Field(type=FieldType.INT),
    "custom_fields": Field(type=FieldType.OBJECT),
    "cats": Field(type=FieldType.TAGS),
    "date": Field(type=FieldType.STRING),
    "ip": Field(type=FieldType.STRING),
    "url": Field(type=FieldType.STRING),
}
_KEYS = frozenset({"resource_id", "channel", *_NESTED, *_OWN, *_ADDRESS_KEYS})
# A consent is never forgotten, and every subscription has a priority.
_MAY_BE_UNSET = _OWN.keys() - {"status", "priority"}
# Any other holds a text, a number, or texts.
_NESTING = ("custom_fields", "cc_data")
# What says which subscription it is can only be set.
_ADDRESS = Field(type=FieldType.STRING)

# When, from where and at which page somebody subscribed.
_WHERE_AND_WHEN: Mapping[str, Callable[[object], JsonValue]] = {"date": date, "ip": ip, "url": string}

# In one item: some may repeat others or be skipped, and an item has room for many thousands of these.
_MOST_GIVEN = 2 * MOST_SUBSCRIPTIONS
# Each reads all that the subscription holds, which takes up to 0.1 s, and nobody gets a turn meanwhile.
_MOST_UPDATES = 10


class InvalidSubscription(ItemFailed):
    """Nobody can be reached by it, which an item may choose to survive; any other mistake fails the item."""


@dataclass(slots=True)
class Given:
    """A subscription as an item gives it: the keys that it sets, and what it does to others."""

    keys: Subscription
    updates: dict[str, Update] = field(default_factory=dict)

    def joined(self, stored: Subscription | None) -> Subscription:
        """What becomes of the one that is stored; raises `ItemFailed` where an update cannot be."""
        found = {"status": "subscribed", "priority": 0, **(stored or {}), **self.keys}
        for name, update in self.updates.items():
            value = update.applied(found.get(name))
            if value is None:
                found.pop(name, None)
            else:
                found[name] = value
        # What is stored already is left alone: whoever unsubscribes must not fail by it.
        if any(
            is_deeper(as_given(found.get(name)), SUBSCRIPTION_LEVELS - 1) for name in _NESTING if name in self.keys or name in self.updates
        ):
            raise ItemFailed(Why.PROFILE_TOO_LARGE)
        return found | ({"priority": _priority(found["priority"])} if "priority" in self.updates else {})


def parse_subscriptions(
    value: JsonValue, resources: Mapping[ResourceNumber, str], *, skip_invalid: bool, found_by: frozenset[str] = frozenset()
) -> list[Given]:
    """What `data.subscriptions` asks for: subscriptions to add or change, in their order.

    The keys of `found_by` find the profile, too, and are no address where the resource's channel has others.
    """
    if not isinstance(value, list):
        raise ItemFailed(Why.INCORRECT_SUBSCRIPTIONS)
    if len(value) > _MOST_GIVEN:
        raise ItemFailed(Why.PROFILE_TOO_LARGE)
    parsed: list[Given] = []
    known = set()
    for one in value:
        try:
            given = _parse(one, resources, found_by)
        except InvalidSubscription:
            if not skip_invalid:
                raise
            continue
        parsed.append(given)
        known.add(_key(given.keys))
        # Before hundreds more are checked.
        if len(known) > MOST_SUBSCRIPTIONS:
            raise ItemFailed(Why.PROFILE_TOO_LARGE)
    updated = [_key(given.keys) for given in parsed if given.updates]
    if len(updated) > _MOST_UPDATES and max(Counter(updated).values()) > _MOST_UPDATES:
        raise ItemFailed(Why.INCORRECT_ACTION)
    return parsed


def merged(stored: Sequence[Subscription], given: Sequence[Given]) -> list[Subscription]:
    """Known by resource and address, changed key by key; the order in which they were added stays. Raises `ItemFailed`."""
    kept = {_stored_key(subscription, at): subscription for at, subscription in enumerate(stored)}
    try:
        for each in given:
            key = _key(each.keys)
            kept[key] = each.joined(kept.get(key))
    except ItemFailed as failed:
        raise failed.at("subscriptions") from None
    return list(kept.values())


def _key(subscription: Subscription) -> tuple[JsonValue, ...]:
    return subscription["resource_id"], *channel(subscription["channel"]).address(subscription)


def _stored_key(subscription: Subscription, at: int) -> tuple[JsonValue, ...]:
    """One of another shape, which may be older than today's rules, is like no other, and stays as it is."""
    try:
        key = _key(subscription)
        hash(key)
    except (KeyError, TypeError):
        return (at,)
    return key


def _parse(given: JsonValue, resources: Mapping[ResourceNumber, str], found_by: frozenset[str]) -> Given:
    flat, changes = _without_updates(_flattened(given))
    settings = _settings(flat)
    resource, name = _resource(flat, resources, found_by)
    return Given({"resource_id": resource, "channel": name, **_addressed(flat, channel(name)), **settings}, changes)


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


def _without_updates(flat: Subscription) -> tuple[Subscription, dict[str, Update]]:
    """The keys with the values that they are set to, and the updates of the others."""
    values: Subscription = {}
    changes: dict[str, Update] = {}
    for name, value in flat.items():
        declared = _OWN.get(name, _ADDRESS)
        word = updates.word_of(value, declared) if isinstance(value, dict) and name != "cc_data" else None
        if word is None:
            values[name] = value
        elif word == "set" and "value" in value:
            values |= {} if value["value"] is None else {name: value["value"]}
        elif word == "unset" and name in _MAY_BE_UNSET:
            changes[name] = Unset()
        else:
            changes[name] = updates.read(word, value, declared)
    return values, changes


def _resource(flat: Subscription, resources: Mapping[ResourceNumber, str], found_by: frozenset[str]) -> tuple[ResourceNumber, str]:
    """The resource and its channel; it may be left out where the channel has one only."""
    resource = flat["resource_id"] if "resource_id" in flat else _only_one_of(flat.get("channel"), resources)
    if type(resource) is not int or resource not in resources:
        raise InvalidSubscription(Why.UNKNOWN_RESOURCE)
    number = ResourceNumber(resource)
    name = resources[number]
    # An address of another channel would be lost silently.
    if flat.get("channel", name) != name or _ADDRESS_KEYS.difference(channel(name).keys, found_by).intersection(flat):
        raise InvalidSubscription(Why.CHANNEL_DIFFERS)
    return number, name


def _only_one_of(name: JsonValue, resources: Mapping[ResourceNumber, str]) -> ResourceNumber | None:
    numbers = [number for number, of in resources.items() if of == name]
    return numbers[0] if len(numbers) == 1 else None


def _addressed(flat: Subscription, row: Channel) -> Subscription:
    parts = {key: flat.get(key) for key in row.keys}
    if row.member is not None:
        return {key: _with_member(part, row.member, row.normal) for key, part in parts.items()}
    if row.normal is not None:
        return {key: _normal(part, row.normal) for key, part in parts.items()}
    if any(not isinstance(part, str) or is_blank(part) for part in parts.values()):
        raise InvalidSubscription(Why.INCORRECT_SUBSCRIPTION_ADDRESS)
    return {key: storable(part) for key, part in parts.items()}


def _with_member(given: JsonValue, member: str, normal: Callable[[object], JsonValue] | None) -> JsonValue:
    """All that is said of a channel that we know nothing else of, with the address in it as it is compared."""
    if not isinstance(given, dict) or given.get(member) is None or normal is None:
        raise InvalidSubscription(Why.INCORRECT_SUBSCRIPTION_ADDRESS)
    said = {key: value for key, value in given.items() if value is not None}
    return storable(said | {member: _normal(given[member], normal)})


def _normal(part: JsonValue, normal: Callable[[object], JsonValue]) -> JsonValue:
    try:
        return normal(part)
    except ItemFailed as failed:
        raise InvalidSubscription(failed.why) from None


def _settings(flat: Subscription) -> Subscription:
    """The keys that the item gives; what it does not give stays as it is."""
    settings = {key: flat[key] for key in _OWN if key in flat}
    if not settings:
        return settings
    if "status" in settings:
        settings["status"] = status_word(settings["status"])
    _priority(settings.get("priority", 0))
    if not isinstance(settings.get("custom_fields", {}), dict):
        raise ItemFailed(Why.INCORRECT_OBJECT)
    cats = settings.get("cats", [])
    if not isinstance(cats, list) or not all(isinstance(cat, str) for cat in cats):
        raise ItemFailed(Why.INCORRECT_TAGS)
    for key, normal in _WHERE_AND_WHEN.items():
        if key in settings:
            settings[key] = normal(settings[key])
    return storable(settings)  # type: ignore[no-any-return]


def _priority(given: JsonValue) -> int:
    if type(given) is not int or abs(given) >= 2**31:
        raise ItemFailed(Why.INCORRECT_NUMBER)
    return given
