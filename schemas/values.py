"""What values of each type are accepted, and how they are stored."""

import ipaddress
import math
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from schemas.blanks import composed
from schemas.item_errors import ItemFailed, Why

JsonValue: TypeAlias = Any

_INT64 = range(-(2**63), 2**63)
_DECIMAL = re.compile(r"-?[0-9]{1,40}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}")
_SEXES = {"male": "male", "female": "female", "1": "male", "2": "female", "0": None, "9": None}
# An escaped NUL in encoded JSON, but no text that merely spells one.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def storable(value: JsonValue) -> JsonValue:
    """The same value, unless Postgres could not keep some text in it."""
    if isinstance(value, str) and value.isascii():
        if "\0" in value:
            raise ItemFailed(Why.TEXT_CANNOT_BE_STORED)
        return value
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise ItemFailed(Why.TEXT_CANNOT_BE_STORED) from None
    if _NUL.search(encoded):
        raise ItemFailed(Why.TEXT_CANNOT_BE_STORED)
    return value


def integer(value: object) -> int:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if type(value) is int and value in _INT64:
        return value
    raise ItemFailed(Why.INCORRECT_NUMBER)


def number(value: object) -> float:
    # `float` itself takes "1_000", " 1" and "nan" too.
    spelled = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    if spelled or type(value) in (int, float):
        try:
            parsed = float(value)  # type: ignore[arg-type]
        except OverflowError:
            parsed = math.inf
        if math.isfinite(parsed):
            return parsed
    raise ItemFailed(Why.INCORRECT_NUMBER)


def string(value: object) -> str:
    if isinstance(value, str):
        return str(storable(value))
    if type(value) is int:
        return str(value)
    raise ItemFailed(Why.INCORRECT_STRING)


def boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ItemFailed(Why.INCORRECT_BOOLEAN)


def option(options: Sequence[str], value: object) -> str:
    text = str(value) if type(value) is int else value
    if isinstance(text, str):
        # An option that looks like a number is meant before an ordinal, so that an int and its text are the same.
        if text in options:
            return text
        if _DECIMAL.fullmatch(text) and 0 <= int(text) < len(options):
            return options[int(text)]
        alike = composed(text)
        if (spelled := next((each for each in options if composed(each) == alike), None)) is not None:
            return spelled
    raise ItemFailed(Why.INCORRECT_OPTION)


def sex(value: object) -> str | None:
    """A word, or its number in ISO 5218, where 0 is not known and 9 does not apply: both unset it."""
    number = str(value) if type(value) is int else value
    if isinstance(number, str) and number in _SEXES:
        return _SEXES[number]
    raise ItemFailed(Why.INCORRECT_OPTION)


def ip(value: object) -> str:
    """An IPv4 that is written as an IPv6 is that IPv4; interpreters differ in how they write it."""
    # Most are spelled well; the library takes 4 µs to say so.
    if isinstance(value, str) and _IPV4.fullmatch(value):
        return value
    # A zone (`fe80::1%eth0`) means something on one machine only.
    if isinstance(value, str) and "%" not in value:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            pass
        else:
            return str(getattr(address, "ipv4_mapped", None) or address)
    raise ItemFailed(Why.INCORRECT_IP)


def tags(value: object) -> list[str]:
    """Only a text is taken apart at its commas; an element of an array is one tag, whatever it holds."""
    given = value.split(",") if isinstance(value, str) and value.strip() else value
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        raise ItemFailed(Why.INCORRECT_TAGS)
    storable(given)
    return list(dict.fromkeys(composed(tag.strip()) for tag in given if tag.strip()))


def json_object(value: object) -> dict[str, JsonValue]:
    if isinstance(value, dict):
        storable(value)
        return value
    raise ItemFailed(Why.INCORRECT_OBJECT)


def objects(value: object) -> list[dict[str, JsonValue]]:
    if isinstance(value, list) and all(isinstance(element, dict) for element in value):
        storable(value)
        return value
    raise ItemFailed(Why.INCORRECT_OBJECT)
