"""The channels: a row says all that is particular to one, and every room reads it here.

The launcher's way out of the house, if it has one, is in `workers/launcher/channels`; `workers/launcher/room.py` names it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from schemas.addresses import normal_email, normal_phone
from schemas.kinds import Kind
from schemas.values import JsonValue, integer


class Kinds(NamedTuple):
    """What a subscription is found by."""

    anywhere: Kind
    of_resource: Kind


@dataclass(frozen=True)
class Channel:
    """One row."""

    # The keys of a subscription that hold its address.
    keys: tuple[str, ...] = ()
    # What may hold the same inside.
    nested: str | None = None
    # Of an object that is the only key: which of its members is the address.
    member: str | None = None
    # The canonical spelling of an address of one key or member, which raises `ItemFailed`; None: any text.
    normal: Callable[[object], JsonValue] | None = None
    # The profile's own address, which is used where no subscription is asked for; what is stored may be of another shape.
    # None: there is none, so a trigger has to name a resource.
    own: Callable[[Mapping[str, JsonValue]], JsonValue] | None = None
    # None: nobody is found by such a subscription.
    kinds: Kinds | None = None
    # The keys of a trigger that make its message: those it must have, and those it may.
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    # Whether its messages have files.
    files: bool = False
    # Whether it leaves by a provider of the account's; else it may, and the operator's own server is used without one.
    by_provider: bool = True

    @property
    def leaves(self) -> bool:
        """Whether triggers may have it; by the others nobody is reached, but found."""
        return bool(self.needs)

    def destination(self, subscription: Mapping[str, JsonValue]) -> JsonValue:
        """Where its messages go: the last of its keys, as those before it say whose that is; None where there is none."""
        return subscription.get(self.keys[-1]) if self.keys else None

    def address(self, subscription: Mapping[str, JsonValue]) -> Sequence[str]:
        """What the address of a subscription is made of; raises `KeyError` or `TypeError` for one of another shape."""
        parts = [subscription[key] for key in self.keys]
        if self.member is not None:
            return [member_address(self.member, parts[0][self.member])]
        if not all(isinstance(part, str) for part in parts):
            raise TypeError
        return parts


def member_address(member: str, value: str | int) -> str:
    """An address that stands in a member, as it is compared: in other members the same value is another one."""
    if type(value) not in (str, int):
        raise TypeError
    return f"{member} {value}"


def _first_phone(data: Mapping[str, JsonValue]) -> JsonValue:
    phones = data.get("phones")
    return phones[0] if isinstance(phones, list) and phones else None


MEMBERS: Mapping[str, Callable[[object], JsonValue]] = {"id": integer, "phone": normal_phone}
"""The members of `cc_data` that are addresses."""

EMAIL = Kinds(Kind.EMAIL_SUBSCRIPTION, Kind.EMAIL_SUBSCRIPTION_OF_RESOURCE)
SMS = Kinds(Kind.SMS_SUBSCRIPTION, Kind.SMS_SUBSCRIPTION_OF_RESOURCE)
PUSH = Kinds(Kind.PUSH_SUBSCRIPTION, Kind.PUSH_SUBSCRIPTION_OF_RESOURCE)
CUSTOM = Kinds(Kind.CUSTOM_SUBSCRIPTION, Kind.CUSTOM_SUBSCRIPTION_OF_RESOURCE)


def _custom(member: str) -> Channel:
    return Channel(keys=("cc_data",), member=member, normal=MEMBERS[member], kinds=CUSTOM)


CHANNELS: Mapping[str, Channel] = {
    "email": Channel(
        keys=("email",),
        nested="email_data",
        normal=normal_email,
        own=lambda data: data.get("email"),
        kinds=EMAIL,
        needs=("sender", "subject", "html"),
        may=("text",),
        files=True,
        by_provider=False,
    ),
    "sms": Channel(
        keys=("phone",),
        nested="phone_data",
        normal=normal_phone,
        own=_first_phone,
        kinds=SMS,
        needs=("text",),
    ),
    "push": Channel(
        keys=("provider", "subscription_id"),
        kinds=PUSH,
        needs=("text",),
        may=("title", "link"),
    ),
    # Needs nobody's address.
    "webhook": Channel(needs=("body",)),
    "telegram_bot": _custom("id"),
    "whatsapp": _custom("phone"),
    "viber": _custom("phone"),
    "notify": _custom("phone"),
}

_OWN = _custom("phone")


def channel(name: str) -> Channel:
    """The row of a channel; any that has none is an account's own."""
    return CHANNELS.get(name, _OWN)


MESSAGE = tuple(dict.fromkeys(key for row in CHANNELS.values() for key in (*row.needs, *row.may)))
"""The keys of all messages, which are columns of a trigger."""
