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

# Those that follow rules of their own, by the type that producers are told.
SPECIAL_FIELDS: Mapping[str, str] = MappingProxyType({"email": "string", "phones": "arr_string", "subscriptions": "arr_object"})

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

# How they are told to whoever sends one.
DATES = "RFC 3339, `YYYY-MM-DD`, or a Unix time in seconds (from 10^10 on in milliseconds)."
STATUS_NAMES = f"{', '.join(STATUSES)}; or its number, 0 to {len(STATUSES) - 1}."

SYSTEM_MEANINGS: Mapping[str, str] = {
    "_fname": "First name.",
    "_lname": "Last name.",
    "_bdate": "Day of birth. " + DATES,
    "_sex": "`male` or `female`; or its number in ISO 5218: 1, 2, and 0 or 9 for one that is unset.",
    "_regdate": "When it registered. " + DATES,
    "_regip": "The IP address that it registered from.",
    "_regurl": "The page that it registered at.",
    "_regcountry": "The country that it registered in; `detect_geo` fills it from `_regip`.",
    "_regcity": "The city that it registered in; `detect_geo` fills it from `_regip`.",
    "_ip": "Its current IP address.",
    "_country": "Its current country; `detect_geo` fills it from `_ip`.",
    "_region": "Its current region; `detect_geo` fills it from `_ip`.",
    "_city": "Its current city; `detect_geo` fills it from `_ip`.",
    "_postal_code": "Its current postal code; `detect_geo` fills it from `_ip`.",
    "_tz": "Its time zone, such as `Europe/Berlin`; `detect_geo` fills it from `_ip`.",
    "_vendor": "Who made its device.",
    "_browser": "Its browser.",
    "_os": "Its operating system.",
    "_status": "Whether launches may reach it: " + STATUS_NAMES,
}
