"""What of a body is JSON that can be kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import parsing
from ingest.parsing import NotJson, Piece


def parsed(body: bytes) -> dict[str, Piece]:
    return {name: parsing.piece(raw, level=2) for name, raw in parsing.split(body).items()}


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
    pieces = parsed(b'{"bad": {"x": ["%s"]}, "key": {"%s": 1}, "good": "\\ud83d\\ude00"}' % (text, text))

    assert {name: piece.storable for name, piece in pieces.items()} == {"bad": False, "key": False, "good": True}
    assert pieces["good"].value == "\U0001f600"


@pytest.mark.parametrize("text", [rb"\\ud800", rb"\\u0000", rb"\\\\udc00"])
def test_an_escaped_backslash_before_it_makes_no_surrogate(text: bytes) -> None:
    # The lone surrogate beside it makes the parser take the slow way.
    pieces = parsed(b'{"text": "%s", "bad": "\\ud800"}' % text)

    assert pieces["text"].storable
    assert pieces["text"].value == json.loads(b'"%s"' % text)


def test_elements_of_an_array_are_its_own_and_of_anything_else_none() -> None:
    raw = parsing.split(b'{"a": [1, {"b": 2}], "c": {}, "d": " ["}')

    assert [bytes(element) for element in parsing.elements(raw["a"]) or []] == [b"1", b'{"b": 2}']
    assert parsing.elements(raw["c"]) is None
    assert parsing.elements(raw["d"]) is None


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner) | st.dictionaries(text, inner),
    max_leaves=20,
)


@given(st.dictionaries(text, values), st.booleans())
def test_what_python_writes_is_read_as_it_was(root: dict[str, Any], escaped: bool) -> None:
    pieces = parsed(json.dumps(root, ensure_ascii=escaped).encode())

    assert {name: piece.value for name, piece in pieces.items()} == root
    assert all(piece.storable for piece in pieces.values())


@given(st.binary(max_size=40) | st.text(r'{}[]",:\ud80e1.-0').map(str.encode))
def test_no_body_does_anything_but_parse_or_be_refused(body: bytes) -> None:
    try:
        pieces = parsed(body)
    except NotJson:
        return

    assert pieces.keys() == json.loads(body).keys() or not all(map(parsing.is_storable, json.loads(body)))
