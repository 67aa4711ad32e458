"""Bodies that are JSON by construction, chosen by a fuzzer's bytes: they come further than bytes that were flipped."""

import json
from typing import Any

from atheris import FuzzedDataProvider

_NAMES = (
    *("trigger_id", "db_id", "data", "matching", "email", "phone", "phones", "profile_id", "field_name", "field_value", "resource_id"),
    *("custom_data", "content", "attach", "timeout", "days", "minutes", "subscriptions", "channel", "email_data", "phone_data", "status"),
    *("priority", "action", "value", "name", "mimetype", "format", "detect_geo", "skip_invalid_subscriptions", "task_id", "from", "limit"),
    *("_ip", "_bdate", "_sex", "_status", "i", "f", "s", "b", "d", "e", "a", "t", "o", "l"),
)
_TEXTS = (
    *(
        "",
        "a@b.test",
        "A@Müller.test",
        "+79000000000",
        "8 (900) 000-00-00",
        "12",
        "1.5",
        "1e999",
        "nan",
        "-0",
        "0x1",
        "１２",
        "free",
        "male",
    ),
    *("2020-02-29", "2020-02-29T23:59:60Z", "0000-00-00", "9999-12-31T23:59:59.999999-23:59", "1.2.3.4", "::ffff:1.2.3.4", "fe80::1%eth0"),
    *("x, y", ", ,", "email", "email_profile", "custom", "profile_id", "phone", "sms", "subscribed", "set", "incr", "json", "0a" * 12),
    *("\0", "\ud800", "😀", "data:text/csv;base64,SEVMTE8K", "data:,", "i", "t", "d", "a", "e", "s", "o", "l", "f", "b"),
)
_NUMBERS = (0, 1, -1, 8, 24, 25, 2**31, -(2**63), 2**63, 2**64, 10**40, 0.0, -0.0, 1e308, 5e-324, True, False, None)
_DEEPEST = 6


def body(data: bytes) -> bytes:
    chosen = FuzzedDataProvider(data)
    root = {"trigger_id": 8, "data": [_item(chosen) for _ in range(chosen.ConsumeIntInRange(1, 3))]}
    for _ in range(chosen.ConsumeIntInRange(0, 4)):
        root[_name(chosen)] = _value(chosen, 2)
    return json.dumps(root).encode()


def _item(chosen: FuzzedDataProvider) -> Any:
    if chosen.ConsumeIntInRange(0, 15) == 0:
        return _value(chosen, 2)
    item: dict[str, Any] = {"email": "a@b.test", "data": _object(chosen, 3)}
    return item | (_object(chosen, 3) if chosen.ConsumeBool() else {})


def _object(chosen: FuzzedDataProvider, level: int) -> dict[str, Any]:
    return {_name(chosen): _value(chosen, level + 1) for _ in range(chosen.ConsumeIntInRange(0, 4))}


def _name(chosen: FuzzedDataProvider) -> str:
    return str(chosen.PickValueInList(list(_NAMES)) if chosen.ConsumeIntInRange(0, 31) else chosen.ConsumeUnicode(8))


def _value(chosen: FuzzedDataProvider, level: int) -> Any:
    match chosen.ConsumeIntInRange(0, 7 if level < _DEEPEST else 4):
        case 0 | 1:
            return chosen.PickValueInList(list(_TEXTS))
        case 2:
            return chosen.ConsumeUnicode(16)
        case 3:
            return chosen.PickValueInList(list(_NUMBERS))
        case 4:
            return chosen.ConsumeInt(9)
        case 5:
            return [_value(chosen, level + 1) for _ in range(chosen.ConsumeIntInRange(0, 3))]
        case _:
            return _object(chosen, level)
