"""The fields that every database has."""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType

from schemas import dates, values
from schemas.fields import Field, FieldType
from schemas.values import JsonValue

# A profile's `_status` and a subscription's `status`, by their numbers.
STATUSES = ("subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid")


class _Ruled(Field):
    """A system field whose values follow a rule of their own."""

    rule: Callable[[object], JsonValue]

    @cached_property
    def parser(self) -> Callable[[object], JsonValue]:
        return self.rule


def status_word(value: object) -> str:
    """A subscription's status by its word or number."""
    return values.option(STATUSES, value)


def _status(value: object) -> int:
    return STATUSES.index(status_word(value))


_TEXT = Field(type=FieldType.STRING)
_IP = Field(type=FieldType.IP)

# `email`, `phones` and `subscriptions` follow rules of their own.
SYSTEM_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "_fname": _TEXT,
        "_lname": _TEXT,
        "_bdate": _Ruled(type=FieldType.DATE, rule=dates.day),
        "_sex": _Ruled(type=FieldType.ENUM, options=["male", "female"], rule=values.sex),
        "_regdate": Field(type=FieldType.DATE),
        "_regip": _IP,
        "_regurl": _TEXT,
        "_regcountry": _TEXT,
        "_regcity": _TEXT,
        "_ip": _IP,
        "_country": _TEXT,
        "_region": _TEXT,
        "_city": _TEXT,
        "_postal_code": _TEXT,
        "_tz": _TEXT,
        "_vendor": _TEXT,
        "_browser": _TEXT,
        "_os": _TEXT,
        "_status": _Ruled(type=FieldType.ENUM, options=list(STATUSES), rule=_status),
    }
)
