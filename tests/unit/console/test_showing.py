"""What is written on pages: bounded, exact, and text wherever somebody sent it."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from profuse.console.reading.counted import MOST, Counted, bounded
from profuse.console.showing import charts, filters
from profuse.console.showing.curl import curl
from profuse.console.showing.spreadsheets import line

pytestmark = pytest.mark.promise("P-CONSOLE-06")
STATIC = Path(charts.__file__).parents[1] / "static"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "nothing", ""),
        (b"", "text", ""),
        (b'{"a":12345678901234567890123,"b":1.10}', "JSON", '{\n  "a": 12345678901234567890123,\n  "b": 1.10\n}'),
        ('"Юля"'.encode(), "JSON", '"Юля"'),
        (b"<script>", "text", "<script>"),
        (b"\xff\xfe", "binary", "ff fe"),
        (b"[" * 100_000, "text", "[" * filters.SHOWN),
    ],
)
def test_a_value_is_decoded_as_what_it_is(value: bytes | None, kind: str, text: str) -> None:
    assert filters.decoded(value)[:2] == (kind, text)


@pytest.mark.parametrize("value", [b"a" * 2**20, b"\xff" * 2**20, b'"' + b"a" * 2**20 + b'"', "я".encode() * 2**19])
def test_of_a_value_only_so_much_is_shown(value: bytes) -> None:
    shown = filters.decoded(value)

    assert len(shown.text) <= filters.SHOWN
    assert not shown.is_whole


@pytest.mark.parametrize("ugly", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(ugly: str) -> None:
    assert line([ugly]).lstrip('"').startswith("'")


def test_a_line_of_csv_keeps_what_it_is_given() -> None:
    assert line([7, None, 'a "b", c', "Юля"]) == '7,,"a ""b"", c",Юля\r\n'


def test_numbers_say_how_exact_they_are() -> None:
    assert [str(bounded(MOST)), str(bounded(MOST + 1)), str(Counted(5, is_all=False, about=4_000_000))] == [
        "10,000",
        "10,000+",
        "≈ 4,000,000",
    ]
    assert str(Counted(9, is_all=False, about=3)) == "9+"


def test_times_are_written_in_their_two_largest_units() -> None:
    written = [filters.duration(each) for each in (0.25, 59.6, 3_661, timedelta(days=2, minutes=5), None, -90.0)]

    assert written == ["250 ms", "1 min", "1 h 1 min", "2 d 5 min", "-", "-1 min 30 s"]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert filters.ago(now + timedelta(hours=1), now) == "in 1 h"
    assert filters.ago(now - timedelta(seconds=5), now) == "5 s ago"


def test_a_curve_and_a_bar_hold_no_style_and_escape_their_label() -> None:
    drawn = charts.curve([None, 1.0, 5.0], '"><script>') + charts.bar(1, 0, "<b>")

    assert "<script>" not in drawn
    assert "<b>" not in drawn
    assert "style" not in drawn


def test_a_copied_call_is_one_shell_word_where_it_must_be_and_holds_no_token() -> None:
    written = curl("http://127.0.0.1:8080", "tasks/status", {"task_id": "a'b"})

    assert "$PROFUSE_TOKEN" in written
    assert """'{"task_id": "a'"'"'b"}'""" in written


def test_htmx_is_the_file_that_is_named_beside_it() -> None:
    digest = hashlib.sha256((STATIC / "htmx.min.js").read_bytes()).hexdigest()

    assert digest in (STATIC / "README.md").read_text()
