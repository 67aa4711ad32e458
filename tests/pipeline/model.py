"""What a batch should do, in plain Python: one item after the other, on dictionaries."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# Profiles by id; a profile is never changed in place.
State = dict[str, Json]
Entry = Json

KEYS = {"email": "email", "email_profile": "email", "phone": "phone", "profile_id": "profile_id", "custom": "field_value"}
ADDRESSES = {24: "email", 25: "phone", 26: "email", 27: "phone"}
CHANNELS = {24: "email", 25: "sms", 26: "email", 27: "sms"}


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
    """The item's own, else the one in its profile; normalised."""
    given = item.get(KEYS[batch.matching])
    if given in (None, "") and batch.matching != "profile_id":
        key = "phones" if batch.matching == "phone" else batch.field_name or "email"
        given = item["data"].get(key)
        given = (given or [None])[0] if key == "phones" and isinstance(given, list) else given
    if given in (None, ""):
        return None
    return _normal(given, batch)


def search(state: State, batch: Batch, value: Any) -> list[str]:
    """The profiles that answer to a match value."""
    return [name for name, profile in state.items() if _answers(name, profile, batch, value)]


def _answers(name: str, profile: Json, batch: Batch, value: Any) -> bool:
    match batch.matching:
        case "email":
            return profile.get("email") == value or _subscribed(profile, batch, "email", value)
        case "email_profile":
            return bool(profile.get("email") == value)
        case "phone":
            return value in profile.get("phones", []) or _subscribed(profile, batch, "phone", value)
        case "profile_id":
            return bool(name == value)
    held = profile.get(str(batch.field_name))
    if batch.field_name == "interests":
        return held is not None and set(value) <= set(held)
    return bool(held == value)


def _subscribed(profile: Json, batch: Batch, key: str, value: str) -> bool:
    return any(
        subscription.get(key) == value and batch.resource_id in (None, subscription["resource_id"])
        for subscription in profile["subscriptions"]
    )


def _write(state: State, batch: Batch, item: Json, found: str | None, new: str) -> tuple[State, Entry]:
    data = dict(item["data"])
    profile = dict(state[found]) if found else {"subscriptions": []}
    if found is None:
        data = _from_match_value(batch, item) | data
    given = data.pop("subscriptions", [])
    for key, value in data.items():
        if value is None:
            profile.pop(key, None)
        else:
            profile[key] = stored(key, value)
    name = found or new
    taken = {other["email"] for key, other in state.items() if key != name and "email" in other}
    if profile.get("email") in taken:
        return state, {"error": 409, "error_text": "Email belongs to another profile", "field": "email"}
    profile["subscriptions"] = _merged(profile["subscriptions"], given)
    return state | {name: profile}, {"profile_id": name}


def _from_match_value(batch: Batch, item: Json) -> Json:
    key = {"phone": "phones", "custom": str(batch.field_name)}.get(batch.matching, "email")
    return {key: match_value(item, batch)}


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
        case "phone":
            return _phone(given)
        case "custom":
            value = stored(str(batch.field_name), given)
            return sorted(value) if isinstance(value, list) else value
    return given.strip().lower()


def _phone(given: str) -> str:
    return given.translate(str.maketrans("", "", " -.()"))


def _merged(held: list[Json], given: list[Json]) -> list[Json]:
    """A subscription is known by resource and address; what is not valid was taken for a mistake, or is dropped."""
    merged = {(known["resource_id"], known[ADDRESSES[known["resource_id"]]]): known for known in held}
    for subscription in given:
        resource = subscription["resource_id"]
        if resource not in ADDRESSES:
            continue
        key = ADDRESSES[resource]
        address = stored("email", subscription[key]) if key == "email" else _phone(subscription[key])
        known = merged.get((resource, address), {"channel": CHANNELS[resource], "status": "subscribed", "priority": 0})
        merged[resource, address] = known | subscription | {key: address}
    return list(merged.values())
