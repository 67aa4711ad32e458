"""What of a body is JSON that can be kept."""

import asyncio
import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.admission.budget import Budget, Share
from ingest.http import parsing, spans
from ingest.http.interleaving import in_turns
from ingest.http.parsing import Piece
from ingest.http.scanning import NotJson
from schemas.settings import KIB, Settings

SETTINGS = Settings(body_limit=8 * 1024 * KIB)


def parsed(body: bytes, *names: str) -> dict[str, Piece]:
    """What a body holds under some names, each an `a` unless others are given."""
    opened = spans.opened(body, names or ("a",), SETTINGS, Share(Budget(1)))
    return {name: parsing.piece(raw) for name, raw in asyncio.run(opened).values.items()}


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


REFUSED = {
    "nothing": b"",
    "no object": b"[]",
    "an end that is missing": b'{"a": 1',
    "something behind the end": b'{"a": 1} 2',
    "no UTF-8 in a value": b'{"a": "\xff"}',
    "no UTF-8 in a value that a later one replaces": b'{"a": "\xff", "a": 1}',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": [-Infinity]}',
    "a float that overflows": b'{"a": 1e999}',
    "a leading zero": b'{"a": 01}',
    "a trailing comma": b'{"a": [1,]}',
    "a raw control character": b'{"a": "\x01"}',
    "an unknown escape": b'{"a": "\\x"}',
    "an escape that is too short": b'{"a": "\\ud8"}',
    "an int of 4,301 digits": b'{"a": %s}' % (b"1" * 4301),
    "a negative int of 4,300 digits": b'{"a": -%s}' % (b"1" * 4300),
    "a float of 4,301 digits": b'{"a": 0.%s}' % (b"1" * 4300),
    "an exponent of 4,301 digits": b'{"a": [1e%s]}' % (b"0" * 4300),
    "33 levels": b'{"a": %s}' % nested(32),
    "a million levels": b'{"a": %s}' % nested(1_000_000),
}


@pytest.mark.promise("P-HTTP-04", "P-HTTP-05", "P-HTTP-06")
@pytest.mark.parametrize("what", REFUSED)
def test_a_body_is_refused_for(what: str) -> None:
    with pytest.raises(NotJson):
        parsed(REFUSED[what])


ACCEPTED: dict[str, tuple[bytes, Any]] = {
    "4,300 digits": (b'{"a": %s}' % (b"1" * 4300), None),
    "4,299 digits of a negative int": (b'{"a": -%s}' % (b"1" * 4299), None),
    "digits in text": (b'{"a": "%s", "b": "\\"%s"}' % (b"1" * 9_000, b"1" * 9_000), None),
    "many short numbers": (b'{"a": [%s]}' % b",".join([b"1.5e3"] * 5_000), None),
    "32 levels": (b'{"a": %s}' % nested(31), None),
    "many brackets on few levels": (b'{"a": [%s]}' % b",".join([b"[]"] * 100), [[]] * 100),
    "a key twice": (b'{"a": 1, "a": 2}', 2),
    "an int beyond 64 bits": (b'{"a": 123456789012345678901234567890}', 123456789012345678901234567890),
    "a surrogate pair": (b'{"a": "\\ud83d\\ude00"}', "\U0001f600"),
}


@pytest.mark.promise("P-HTTP-05", "P-HTTP-06", "P-HTTP-09")
@pytest.mark.parametrize("what", ACCEPTED)
def test_a_body_is_accepted_with(what: str) -> None:
    body, value = ACCEPTED[what]
    piece = parsed(body)["a"]

    assert piece.value == (json.loads(body)["a"] if value is None else value)
    assert piece.storable


@pytest.mark.promise("P-DATA-16")
@pytest.mark.parametrize("text", [rb"\u0000", rb"a\u0000", rb"\ud800", rb"\udc00x", rb"\ud800A", rb"\uD83D\ud83d\ude00", rb"\\\ud800"])
def test_text_that_cannot_be_stored_costs_only_its_piece(text: bytes) -> None:
    body = b'{"bad": {"x": ["%s"]}, "key": {"%s": 1}, "good": "\\ud83d\\ude00"}' % (text, text)
    pieces = parsed(body, "bad", "key", "good")

    assert {name: piece.storable for name, piece in pieces.items()} == {"bad": False, "key": False, "good": True}
    assert pieces["good"].value == "\U0001f600"


@pytest.mark.parametrize("text", [rb"\\ud800", rb"\\u0000", rb"\\\\udc00"])
def test_an_escaped_backslash_before_it_makes_no_surrogate(text: bytes) -> None:
    # The lone surrogate beside it makes the parser take the slow way.
    pieces = parsed(b'{"text": "%s", "bad": "\\ud800"}' % text, "text", "bad")

    assert pieces["text"].storable
    assert pieces["text"].value == json.loads(b'"%s"' % text)


def test_members_are_known_by_their_names_and_the_last_of_a_name_counts() -> None:
    found = parsing.members(b'{"x\\u0079": 1, "b": [2], "a": 3, "\\u0061": {"b": 4}, "z": 5}', ("a", "b", "c"))

    assert {name: bytes(raw) for name, raw in found.values.items()} == {"a": b'{"b": 4}', "b": b"[2]"}
    assert found.unknown == "xy"


@pytest.mark.promise("P-HTTP-04")
@pytest.mark.parametrize("body", [b'{"z": 1, "a": }', b'{"z": 1, "a": NaN}', b'{"z": 1} 2'])
def test_what_follows_an_unknown_name_is_still_to_be_json(body: bytes) -> None:
    with pytest.raises(NotJson):
        parsing.members(body, ("a",))


@pytest.mark.promise("P-OPS-17")
async def test_a_million_members_take_up_no_memory() -> None:
    body = b"{%s}" % b",".join(b'"%d":0' % number for number in range(500_000))
    tracemalloc.start()
    found = parsing.members(body, ("a",))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.unknown == "0"
    assert peak < 1024 * KIB


async def elements(array: bytes, most: int) -> list[bytes] | None:
    found = await in_turns(parsing.elements(msgspec.Raw(array), most), Share(Budget(1)))
    return None if found is None else list(map(bytes, found))


@pytest.mark.promise("P-HTTP-15")
@pytest.mark.parametrize("few", [0, 500_000])
@pytest.mark.parametrize(
    ("array", "count"),
    [
        (b"[1]", 1),
        (b' [ 1 , {"b": [2, 3]}, "x,]\\",", [], null ] '.strip(), 5),
        (b"[%s]" % b",".join([b'{"a":[{},{}],"b":","}'] * 50_000), 50_000),
        (b'["%s",%s]' % (b"," * 1_000_000, b",".join([b"[0,0]"] * 10)), 11),
    ],
)
async def test_elements_are_found_unless_they_are_too_many(array: bytes, count: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_FEW_ELEMENTS", few)
    found = await elements(array, count)

    assert found is not None
    assert list(map(json.loads, found)) == json.loads(array)
    assert len(found) == count
    assert await elements(array, count - 1) is None


@pytest.mark.promise("P-OPS-17")
async def test_too_many_elements_take_up_no_memory() -> None:
    raw = msgspec.Raw(b"[%s0]" % (b"0," * 1_000_000))
    tracemalloc.start()
    found = await in_turns(parsing.elements(raw, 1_000), Share(Budget(1)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found is None
    # A copy of the text, to search in.
    assert peak < 3 * 1024 * KIB


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=20,
)


@given(values, st.booleans())
def test_what_python_writes_is_read_as_it_was(value: Any, escaped: bool) -> None:
    piece = parsed(json.dumps({"a": value}, ensure_ascii=escaped).encode())["a"]

    assert piece.value == value
    assert piece.storable


@given(st.binary(max_size=40) | st.text(r'{}[]",:\ud80e1.-0a').map(str.encode))
def test_no_body_does_anything_but_parse_or_be_refused(body: bytes) -> None:
    try:
        pieces = parsed(body)
    except NotJson:
        return

    assert pieces.keys() == {"a"} & json.loads(body).keys()
