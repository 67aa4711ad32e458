"""Data: values, items and bodies that have stopped or misled systems of this kind. Each is one example of its kind."""

from typing import Any

_ACCENTS = "e" + "\u0301" * 120_000
# Encoded words, as a name and as a file's name: what a header's parser would make of them is not what was written.
WORDS = (
    "=?unicode_escape?q?=5CuD800?=",
    "=?utf-7?q?+2AA-?=",
    "=?utf-8?q?Hi=0D=0ABcc:_x@other.example?=",
    "=?utf-8?b?SGVsbG8NClJlcGx5LVRvOiB0aGllZkBldmlsLnRlc3QNCg0K?=",
    "Анна, ваш заказ №12345 оплачен — спасибо!",
    "Екатерина, скидка 50% только до 10 июля: успейте купить!",
    "\u202eevil\u202c \u200b",
    "{lead._fname}{if a equal b}{else}{end}{subscription.x}",
    "a\r\nBcc: x@y.z",
    "x" * 100_000,
)
ADDRESSES = (
    "=?utf-8?q?ceo=40other.example=2c?=@example.com",
    "=?utf-8?q?a=0D=0ABcc=3A?=@x.com",
    f"{_ACCENTS}@example.com",
    "a" * 65 + "@hostile.test",
    '"a b"@hostile.test',
    "a@bücher.de",
    "a@[127.0.0.1]",
    "@",
    "a@b@c",
    "a@.test",
)
# What a client writes for a value that it does not have.
PLACEHOLDERS = ("", " ", "\u00a0", "null", "undefined", "NaN", "none", "[object Object]")
LEAVES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**400,
    1e23,
    1e300,
    -0.0,
    "",
    "\0",
    "\ud800",
    [],
    {},
    [[[[[[[[[[[[1]]]]]]]]]]]],
    {"": {"": {"": None}}},
    {"action": "incr", "value": "x"},
    {"action": "delete", "value": [1e300] * 1_000},
    "2026-01-01T00:00:00.12345671Z",
    "2016-12-31T23:59:60Z",
    "0000-00-00",
    "::ffff:192.0.2.1",
    "Ham, smoked",
    "[object Object]",
    ["Ham, smoked", "a,b", "", "a" * 5_000],
    *WORDS,
    *PLACEHOLDERS,
    *ADDRESSES[:2],
)
# Recipients at servers in trouble.
INBOXES = tuple(f"{{}}@{trouble}.hostile.sink.test" for trouble in ("refuses", "mumbles", "defers", "recovers", "hangs", "slow", "breaks"))

FIELDS = (
    "i",
    "f",
    "s",
    "b",
    "d",
    "e",
    "a",
    "t",
    "o",
    "l",
    "_fname",
    "_bdate",
    "_sex",
    "_os",
    "_ip",
    "_status",
    "phones",
    "email",
    "subscriptions",
    "_id",
)

SUBSCRIPTIONS: tuple[Any, ...] = (
    [{"resource_id": 24, "email": "a@hostile.test", "channel": None, "email_data": None, "phone_data": None}],
    [{"resource_id": 24, "email_data": {"emial": 1, "email": "x@y.z"}}, {"resource_id": 25, "phone_data": {"email": "x@y.z"}}],
    [{"resource_id": 24, "email": f"é{number}@ü.de"} for number in range(2_000)],
    [{"resource_id": 24, "email": f"{number}@xn--e-iga.co"} for number in range(1_200)],
    [{"resource_id": 99}, {"resource_id": 25, "email": "a@b.test"}, 1, None, "x"],
)
# Everything optional, as a typed client writes what it did not set.
NULLS: dict[str, Any] = dict.fromkeys(
    ("timeout", "content", "custom_data", "attach", "skip_triggers", "skip_invalid_subscriptions", "detect_geo", "email", "resource_id")
)
ATTACHMENTS: tuple[Any, ...] = (
    {"name": WORDS[0], "data": "data:text/csv;base64,SEVMTE8K"},
    [{"name": name, "data": "data:;BASE64,SEVM\r\nTE8K"} for name in WORDS[2:5]],
    {"name": "x" * 256, "data": "data:text/csv;base64,%3D"},
    {"name": "../../etc/passwd", "data": "data:text/csv;base64,SEVMTE8"},
    {"name": "big.bin", "data": "data:application/octet-stream;base64," + "A" * 4_000_000},
    [0] * 100_000,
)
# Bodies that are no request, and some that are no JSON.
RAW: tuple[bytes, ...] = (
    b"",
    b"\0",
    b"\xff\xfe{}",
    b"[]",
    b"{" * 100_000,
    b'{"a":' * 100_000,
    b'{"data":NaN}',
    b'{"trigger_id":1' + b"0" * 10_000 + b"}",
    b'{"data":[' + b"0," * 500_000 + b"0]}",
    b'{"attach":[' + b"0," * 500_000 + b"0]}",
    b"{" + b",".join(b'"k%d":0' % number for number in range(50_000)) + b"}",
    b'{"token":"\\ud800","data":[{}]}',
    b'{"token":"x","token":"x","data":[{}],"data":[{}]}',
)
# What a bomb of gzip unfolds to.
BOMBS: tuple[bytes, ...] = (b'{"data":[' + b"0," * 5_000_000 + b"0]}", b'{"attach":[' + b"0," * 12_500_000 + b"0]}", b" " * 25_000_000)
