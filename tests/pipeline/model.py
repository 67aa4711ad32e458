"""What a batch should do, in plain Python: one item after the other, on dictionaries."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# Profiles by id; a profile is never changed in place.
State = dict[str, Json]
Entry = Json

# What an error names.
KEYS = {
    "email": "email",
    "email_profile": "email",
    "email_sub": "email",
    "phone": "phone",
    "phone_sub": "phone",
    "email_phone": "email",
    "email_phone_sub": "email",
    "push_sub": "provider",
    "profile_id": "profile_id",
    "custom": "field_value",
    "custom_sub": "field_value",
}
# Whether a mode of addresses searches a profile's own, and those of its subscriptions.
SIDES = {
    "email": (True, True),
    "email_profile": (True, False),
    "email_sub": (False, True),
    "phone": (True, True),
    "phone_sub": (False, True),
    "email_phone": (True, True),
    "email_phone_sub": (False, True),
}
TWO_VALUED = ("email_phone", "email_phone_sub")
ADDRESSES = {24: "email", 25: "phone", 26: "email", 27: "phone", 28: "subscription_id", 30: "cc_data", 31: "cc_data"}
CHANNELS = {24: "email", 25: "sms", 26: "email", 27: "sms", 28: "push", 30: "telegram_bot", 31: "our_app"}
MEMBERS = {30: "id", 31: "phone"}
PROVIDER = "android-firebase"


@dataclass(frozen=True)
class Batch:
    """A request, as far as the model cares."""

    matching: str
    items: list[Json]
    field_name: str | None = None
    resource_id: int | None = None
    skip_invalid_subscriptions: bool = False
    # Why an item is wrong in itself: known to whoever made it.
    mistakes: dict[int, Entry] = field(default_factory=dict)

    def root(self) -> Json:
        """The root parameters that are not at their default."""
        given = {"matching": self.matching, "field_name": self.field_name, "resource_id": self.resource_id}
        return {name: value for name, value in given.items() if value is not None} | {
            "skip_invalid_subscriptions": self.skip_invalid_subscriptions
        }


def apply(state: State, batch: Batch, number: int) -> list[tuple[State, Entry]]:
    """What one item does; a new profile is named by its item. Nobody is promised which of two mistakes is told."""
    item = batch.items[number]
    value = match_value(item, batch)
    found = [] if value is None else search(state, batch, value)
    refusals = [batch.mistakes[number]] if number in batch.mistakes else []
    if len(found) > 1:
        refusals.append({"error": 409, "error_text": "More than one profile matches"})
    if not found and batch.matching == "profile_id":
        refusals.append({"error": 404, "error_text": "Profile not found", "field": "profile_id"})
    if refusals:
        return [(state, refusal) for refusal in refusals]
    return [_write(state, batch, item, found[0] if found else None, f"new {number}")]


def match_value(item: Json, batch: Batch) -> Any:
    """The item's own, else the one in its profile; normalised. Of a mode that searches two, both by their keys."""
    if batch.matching in TWO_VALUED:
        parts = {"email": item.get("email") or item["data"].get("email"), "phone": item.get("phone") or _first_phone(item)}
        return {key: stored("email", part) if key == "email" else _phone(part) for key, part in parts.items() if part} or None
    if batch.matching == "push_sub":
        return item.get("subscription_id") if item.get("provider") else None
    given = item.get(KEYS[batch.matching])
    if batch.matching == "custom_sub":
        return None if given in (None, "") else _member(str(batch.field_name), given)
    if given in (None, "") and batch.matching != "profile_id":
        given = _first_phone(item) if KEYS[batch.matching] == "phone" else item["data"].get(batch.field_name or "email")
    if given in (None, ""):
        return None
    return _normal(given, batch)


def order_of(item: Json, batch: Batch) -> Any:
    """What the item keeps its place behind."""
    value = match_value(item, batch)
    return value.get("email", value.get("phone")) if isinstance(value, dict) else value


def _first_phone(item: Json) -> Any:
    phones = item["data"].get("phones")
    return (phones or [None])[0] if isinstance(phones, list) else phones


def search(state: State, batch: Batch, value: Any) -> list[str]:
    """The profiles that answer to a match value."""
    return [name for name, profile in state.items() if _answers(name, profile, batch, value)]


def _answers(name: str, profile: Json, batch: Batch, value: Any) -> bool:
    match batch.matching:
        case "profile_id":
            return bool(name == value)
        case "push_sub":
            return _subscribed(profile, batch, "subscription_id", value)
        case "custom_sub":
            return any(
                (each.get("cc_data") or {}).get(batch.field_name) == value
                and MEMBERS[each["resource_id"]] == batch.field_name
                and batch.resource_id in (None, each["resource_id"])
                for each in profile["subscriptions"]
                if "cc_data" in each
            )
        case "custom":
            held = profile.get(str(batch.field_name))
            return bool(held is not None and set(value) <= set(held) if batch.field_name == "interests" else held == value)
    parts = value if isinstance(value, dict) else {KEYS[batch.matching]: value}
    return any(_has_address(profile, batch, key, address) for key, address in parts.items())


def _has_address(profile: Json, batch: Batch, key: str, address: str) -> bool:
    own, subscribed = SIDES[batch.matching]
    held = profile.get("phones", []) if key == "phone" else [profile.get("email")]
    return (own and address in held) or (subscribed and _subscribed(profile, batch, key, address))


def _subscribed(profile: Json, batch: Batch, key: str, value: str) -> bool:
    return any(
        subscription.get(key) == value and batch.resource_id in (None, subscription["resource_id"])
        for subscription in profile["subscriptions"]
    )


def _write(state: State, batch: Batch, item: Json, found: str | None, new: str) -> tuple[State, Entry]:
    data = dict(item["data"])
    implied = {} if found else {key: stored(key, value) for key, value in _from_match_value(batch, item).items()}
    profile = dict(state[found]) if found else {"subscriptions": [], **implied}
    given = data.pop("subscriptions", [])
    for key, value in data.items():
        if isinstance(value, dict) and "action" in value:
            _update(profile, key, value["action"], value["value"])
        elif value is None:
            profile.pop(key, None)
        else:
            profile[key] = stored(key, value)
    profile |= {key: value for key, value in implied.items() if profile.get(key) in (None, [])}
    name = found or new
    taken = {other["email"] for key, other in state.items() if key != name and "email" in other}
    if profile.get("email") in taken:
        return state, {"error": 409, "error_text": "Email belongs to another profile", "field": "email"}
    profile["subscriptions"] = _merged(profile["subscriptions"], given)
    return state | {name: profile}, {"profile_id": name}


def _update(profile: Json, key: str, action: str, value: Any) -> None:
    match action:
        case "incr":
            profile[key] = profile.get(key, 0) + value
        case "add":
            profile[key] = list(dict.fromkeys([*profile.get(key, []), *value]))
        case "delete" if key in profile:
            profile[key] = [each for each in profile[key] if each not in value]


def _from_match_value(batch: Batch, item: Json) -> Json:
    if batch.matching.endswith("_sub"):
        return {}
    value = match_value(item, batch)
    if batch.matching in TWO_VALUED:
        return {"phones" if key == "phone" else key: part for key, part in value.items()}
    key = {"phone": "phones", "custom": str(batch.field_name)}.get(batch.matching, "email")
    return {key: value}


def stored(key: str, value: Any) -> Any:
    """A field's value as it is kept."""
    match key:
        case "email":
            return value.strip().lower()
        case "phones":
            numbers = [value] if isinstance(value, str) else value
            return list(dict.fromkeys(_phone(number) for number in numbers))
        case "number":
            return int(value)
        case "interests":
            return list(dict.fromkeys(tag.strip() for tag in (value.split(",") if isinstance(value, str) else value)))
    return value


def _normal(given: Any, batch: Batch) -> Any:
    match batch.matching:
        case "profile_id":
            return given
        case "phone" | "phone_sub":
            return _phone(given)
        case "custom":
            value = stored(str(batch.field_name), given)
            return sorted(value) if isinstance(value, list) else value
    return given.strip().lower()


def _phone(given: str) -> str:
    return given.translate(str.maketrans("", "", " -.()"))


def _member(name: str, given: Any) -> Any:
    return int(given) if name == "id" else _phone(given)


def _address(subscription: Json) -> Any:
    """What is stored as the address, and what it is known by."""
    resource = subscription["resource_id"]
    key, given = ADDRESSES[resource], subscription[ADDRESSES[resource]]
    if key == "cc_data":
        member = MEMBERS[resource]
        return given | {member: _member(member, given[member])}
    return {"email": lambda given: stored("email", given), "phone": _phone}.get(key, str)(given)


def _known_by(address: Any, resource: int) -> Any:
    return address[MEMBERS[resource]] if isinstance(address, dict) else address


def _merged(held: list[Json], given: list[Json]) -> list[Json]:
    """A subscription is known by resource and address; what is not valid was taken for a mistake, or is dropped."""
    merged = {(known["resource_id"], _known_by(_address(known), known["resource_id"])): known for known in held}
    for subscription in given:
        resource = subscription["resource_id"]
        if resource not in ADDRESSES:
            continue
        address = _address(subscription)
        known = merged.get((resource, _known_by(address, resource)), {"channel": CHANNELS[resource], "status": "subscribed", "priority": 0})
        merged[resource, _known_by(address, resource)] = _changed(known, subscription | {ADDRESSES[resource]: address})
    return list(merged.values())


def _changed(known: Json, given: Json) -> Json:
    changed = dict(known)
    for key, value in given.items():
        if isinstance(value, dict) and "action" in value:
            _update(changed, key, value["action"], value["value"])
        else:
            changed[key] = value
    return changed
