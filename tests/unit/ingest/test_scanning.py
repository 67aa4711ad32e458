"""A scan sees the same as a parser, wherever its slices end."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.http import scanning
from ingest.http.scanning import NotJson, Scan
from schemas.levels import LEVELS
from schemas.settings import MIB

pieces = st.sampled_from(
    [*'{}[]",:\\u', " ", "\\\\", '\\"', "1" * 20, "1" * 5_000, "-1.5e3", "é", "\U0001f600", "[" * 33, '"[", "]"', "\\ud83d\\ude00"]
)
values = st.recursive(
    st.none() | st.integers() | st.lists(pieces, max_size=6).map("".join),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.lists(pieces, max_size=2).map("".join), inner, max_size=4),
    max_leaves=12,
)


def refused(body: bytes) -> bool:
    scan = Scan()
    try:
        for part in scanning.slices(body):
            scan.take(part)
    except NotJson:
        return True
    assert (scan.level, scan.in_string) == (0, False)
    return False


def levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(levels, inner), default=0)


@pytest.mark.promise("P-HTTP-05", "P-HTTP-06")
@given(
    values,
    st.integers(0, LEVELS + 1),
    st.integers(1, 60),
    st.booleans(),
    st.sampled_from([b"1", b"-1"]),
    st.integers(4_297, 4_302) | st.just(5),
)
@example(None, 0, 60, False, b"-1", 4_299)
def test_levels_and_digits_are_counted_across_slices(value: Any, towers: int, size: int, escaped: bool, first: bytes, digits: int) -> None:
    number = first + b"0" * digits
    body = b"%s[%s, %s]%s" % (b"[" * towers, json.dumps(value, ensure_ascii=escaped).encode(), number, b"]" * towers)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scanning, "_SLICE", size)

        assert refused(body) == (levels(value) + towers + 1 > LEVELS or len(number) > scanning.DIGITS)


@given(st.binary(max_size=600), st.integers(1, 60))
def test_slices_are_the_whole_body(body: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scanning, "_SLICE", size)

        assert b"".join(scanning.slices(body)) == body


@pytest.mark.promise("P-HTTP-40")
@pytest.mark.parametrize("text", ["A", "1", "\\\\", "\\u0430", "\\ud83d\\ude00", "я", "\U0001f600", "e"], ids=ascii)
def test_a_long_text_is_looked_at_in_parts_too(text: str) -> None:
    body = f'{{"attach":["{text * (MIB // len(text))}"]}}'.encode()
    parts = list(scanning.slices(body))

    assert b"".join(parts) == body
    assert max(map(len, parts)) <= scanning._SLICE
    assert not refused(body)


@given(st.lists(pieces, max_size=20).map("".join), st.integers(1, 30))
def test_letters_escapes_and_surrogate_pairs_are_not_cut(text: str, size: int) -> None:
    body = json.dumps({"text": text, "pair": "\U0001f600"}).encode() + text.encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(scanning, "_SLICE", size)

        parts = list(scanning.slices(body))
    assert "".join(part.decode() for part in parts).encode() == body
    assert b"".join(map(scanning.lone_surrogates_as_nul, parts)) == scanning.lone_surrogates_as_nul(body)
