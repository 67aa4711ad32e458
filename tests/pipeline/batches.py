"""Random batches over so few addresses that they cannot but meet one another."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.pipeline.model import ADDRESSES, CHANNELS, KEYS, MEMBERS, PROVIDER, TWO_VALUED, Batch, Json

_RARE = ["email_profile", "profile_id", "email_sub", "phone_sub", "email_phone", "email_phone", "email_phone_sub", "push_sub", "custom_sub"]
MODES = ["email"] * 4 + ["phone"] * 3 + ["custom"] * 4 + _RARE
# Resources that a search may be narrowed to.
NARROWED = {
    "email": 24,
    "custom_sub": 31,
    "phone": 25,
    "email_sub": 26,
    "phone_sub": 27,
    "email_phone": 24,
    "email_phone_sub": 25,
    "push_sub": 28,
}


class Batches:
    """Batches of one world: its addresses are nobody else's."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 (repeatable, not secret)
        self._emails = [f"{name}@world-{seed}.test" for name in ("ann", "bob", "cat", "dan", "eve")]
        self._ids = [seed * 1_000 + number for number in range(3)]
        self._devices = [f"device-{seed}-{number}" for number in range(3)]
        self._phones = [f"+7901{seed:04}{number:04}" for number in range(4)]
        self._values: dict[str, list[Any]] = {
            "New_field_1": [f"{seed}-{letter}" for letter in "abc"],
            "number": [seed * 100 + number for number in range(3)],
            "interests": [f"{seed}-{colour}" for colour in ("red", "green", "blue")],
        }

    def next(self, ids: Sequence[str]) -> Batch:
        """A batch of 1 to 7 items; `ids` are the profiles that there are."""
        matching = self._random.choice([mode for mode in MODES if ids or mode != "profile_id"])
        batch = Batch(
            matching,
            [],
            field_name=self._field_name(matching),
            resource_id=self._random.choice([None, None, NARROWED.get(matching)]),
            skip_invalid_subscriptions=self._random.random() < 0.3,
        )
        for number in range(self._random.randint(1, 7)):
            batch.items.append(self._item(batch, ids))
            if self._random.random() < 0.12:
                batch.mistakes[number] = self._spoil(batch, batch.items[-1])
        return batch

    def _field_name(self, matching: str) -> str | None:
        named: dict[str, list[str]] = {"custom": list(self._values), "custom_sub": list(MEMBERS.values())}
        return self._random.choice(named[matching]) if matching in named else None

    def _item(self, batch: Batch, ids: Sequence[str]) -> Json:
        makers: dict[str, Callable[[], Any]] = {
            "_fname": lambda: self._random.choice(["Ann", "Bob", "", None]),
            "email": lambda: self._spelled(self._random.choice(self._emails)),
            "phones": self._phone_list,
            "New_field_1": lambda: self._random.choice([*self._values["New_field_1"], None]),
            "number": lambda: self._number(self._random.choice(self._values["number"])),
            "interests": self._interests,
            "subscriptions": lambda: [self._subscription(batch) for _ in range(self._random.randint(1, 2))],
        }
        data = {name: make() for name, make in makers.items() if self._random.random() < 0.25}
        return {"data": data} | self._match(batch, data, ids)

    def _match(self, batch: Batch, data: Json, ids: Sequence[str]) -> Json:
        """The item's own match value, or one in its profile."""
        match batch.matching:
            case "profile_id":
                return {"profile_id": self._random.choice([*ids, "0" * 24])}
            case mode if mode in TWO_VALUED:
                return self._either(data)
            case "push_sub":
                return {"provider": PROVIDER, "subscription_id": self._random.choice(self._devices)}
            case "custom_sub":
                return {"field_value": self._of_member(str(batch.field_name))}
            case "phone" | "phone_sub":
                value: Any = self._punctuated(self._random.choice(self._phones))
                own, name = "phone", "phones"
            case "custom":
                own, name = "field_value", str(batch.field_name)
                value = self._tags(self._random.randint(1, 2)) if name == "interests" else self._random.choice(self._values[name])
                value = ", ".join(value) if isinstance(value, list) else value
            case _:
                own, name, value = "email", "email", self._spelled(self._random.choice(self._emails))
        if self._random.random() < 0.5:
            return {own: value}
        data[name] = value
        return {}

    def _either(self, data: Json) -> Json:
        """An e-mail, a phone, or both, each its own or in the profile; what the profile has besides counts, too."""
        email, phone = self._spelled(self._random.choice(self._emails)), self._punctuated(self._random.choice(self._phones))
        chosen = self._random.choice([("email",), ("phone",), ("email", "phone")])
        own = {key: value for key, value in (("email", email), ("phone", phone)) if key in chosen}
        if self._random.random() < 0.5:
            return own
        data.update({"phones" if key == "phone" else key: value for key, value in own.items()})
        return {}

    def _spoil(self, batch: Batch, item: Json) -> Json:
        """Make the item wrong; returns its entry in the answer."""
        key = KEYS[batch.matching]
        spoiled: list[tuple[Json, Json]] = [
            ({"data": item["data"] | {"_frame": 1}}, {"error": 400, "error_text": "Unknown field", "field": "_frame"}),
            ({"data": item["data"] | {"consent": "yes"}}, {"error": 400, "error_text": "Incorrect boolean", "field": "consent"}),
            ({"data": item["data"] | {"_lname": "\0"}}, {"error": 400, "error_text": "Text cannot be stored", "field": "_lname"}),
            (
                {key: None, "data": {"_lname": "Nobody"}} | ({"phone": None} if batch.matching in TWO_VALUED else {}),
                {"error": 400, "error_text": "No match value", "field": key},
            ),
        ]
        if not batch.skip_invalid_subscriptions:
            unknown = [{"resource_id": 1234, "channel": "email", "email": self._emails[0]}]
            entry = {"error": 400, "error_text": "Unknown resource", "field": "subscriptions"}
            spoiled.append(({"data": item["data"] | {"subscriptions": unknown}}, entry))
        changes, entry = self._random.choice(spoiled)
        item |= changes
        return entry

    def _subscription(self, batch: Batch) -> Json:
        choices = [*ADDRESSES, 1234] if batch.skip_invalid_subscriptions else [*ADDRESSES]
        resource = self._random.choice(choices)
        key = ADDRESSES.get(resource, "email")
        if key == "cc_data":
            inside = {MEMBERS[resource]: self._of_member(MEMBERS[resource]), "since": self._random.randint(1, 2)}
            return {"resource_id": resource, "channel": CHANNELS[resource], "cc_data": inside}
        choices_of = {"phone": self._phones, "subscription_id": self._devices}
        address = self._random.choice(choices_of[key]) if key in choices_of else self._spelled(self._random.choice(self._emails))
        priority = self._random.choice([1, 2, 3, {"action": "incr", "value": 1}])
        optional = {"priority": priority, "status": self._random.choice(["subscribed", "unsubscribed"])}
        chosen = {name: value for name, value in optional.items() if self._random.random() < 0.3}
        provider = {"provider": PROVIDER} if key == "subscription_id" else {}
        return {"resource_id": resource, "channel": CHANNELS.get(resource, "email"), key: address, **provider, **chosen}

    def _of_member(self, member: str) -> Any:
        """A messenger's id, as a number or its text, or a phone."""
        number = self._ids[self._random.randrange(len(self._ids))]
        return self._random.choice([number, str(number)]) if member == "id" else self._punctuated(self._random.choice(self._phones))

    def _phone_list(self) -> Any:
        numbers = self._random.sample(self._phones, self._random.randint(1, 2))
        return self._random.choice([numbers, numbers[0], numbers + numbers, None])

    def _interests(self) -> Any:
        tags = self._tags(self._random.randint(1, 3))
        return self._random.choice([tags, {"action": "add", "value": tags}, {"action": "delete", "value": tags}])

    def _tags(self, count: int) -> list[str]:
        return self._random.sample(self._values["interests"], count)

    def _number(self, value: int) -> Any:
        return self._random.choice([value, str(value), None, {"action": "incr", "value": 1}])

    def _spelled(self, email: str) -> str:
        return self._random.choice([email, email.upper(), f" {email} "])

    def _punctuated(self, phone: str) -> str:
        return self._random.choice([phone, f"{phone[:2]} ({phone[2:5]}) {phone[5:]}"])
