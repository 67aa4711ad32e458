"""Parquet as other programs write it: what is wrong with it costs its own rows, and what failed comes back as it was."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from profuse.importing.aim import Aim
from profuse.importing.failures import Failures, place
from profuse.importing.mapping import mapped
from profuse.importing.opening import Given, opened
from profuse.importing.running import Import, Tally
from profuse_client import Client
from runtime.errors import CannotRun
from tests.client_library.server import TOKEN, serving

MOMENT = pa.timestamp("ms")


def written(file: Path, table: pa.Table, rows_in_a_group: int = 1_000) -> Path:
    # Neither packed nor by a dictionary, so that a value stands where the file is damaged.
    parquet.write_table(table, file, row_group_size=rows_in_a_group, compression="none", use_dictionary=False)
    return file


def people(count: int) -> pa.Table:
    return pa.table({"email": [f"p{number}@x.test" for number in range(count)]})


def told(file: Path) -> list[tuple[int, str]]:
    """Lines that fail, and why."""
    return [(row.line, row.wrong or "") for row in opened(file, Given()).rows() if row.values is None]


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-09")
@pytest.mark.parametrize(
    ("column", "why", "kept"),
    [
        (pa.array([0, 2**50, None], MOMENT), "date value out of range (at)", "<value out of range: 1125899906842624>"),
        (pa.array([0, 10**18 + 1, None], pa.timestamp("ns")), "Nanosecond resolution", "2001-09-09 01:46:40.000000001"),
        (pa.array([None, 0, None], pa.timestamp("ms", "Mars/Phobos")), "zoneinfo", "?"),
        (pa.array([[0], [0, 2**50], None], pa.list_(MOMENT)), "date value out of range (at)", "?"),
        (pa.array([b"a", b"\xff", None]).view(pa.string()), "'utf-8' codec can't decode", "?"),
    ],
    ids=["the year 37,000", "nanoseconds", "a zone of another planet", "a list", "no UTF-8"],
)
def test_a_value_that_python_does_not_know_costs_its_own_row(tmp_path: Path, column: pa.Array, why: str, kept: str) -> None:
    file = written(tmp_path / "p.parquet", people(3).append_column("at", column))
    first, bad, last = opened(file, Given()).rows()

    assert (first.wrong, bad.values, last.values) == (None, None, {"email": "p2@x.test"})
    assert why in (bad.wrong or "")
    assert (bad.line, bad.given) == (2, {"email": "p1@x.test", "at": kept})


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-09")
def test_a_damaged_page_costs_the_rows_of_its_group(tmp_path: Path) -> None:
    file = written(tmp_path / "p.parquet", people(30), rows_in_a_group=10)
    whole = file.read_bytes()
    # The header of the page.
    begins = parquet.ParquetFile(file).metadata.row_group(1).column(0).data_page_offset
    file.write_bytes(whole[:begins] + b"\xff" * 16 + whole[begins + 16 :])

    failed = told(file)

    assert [line for line, _ in failed] == list(range(11, 21))
    assert all(why.startswith("the file is damaged here: ") for _, why in failed)


@pytest.mark.promise("P-IMPORT-02", "P-IMPORT-09")
@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["email", "s", "s"], "has the column 's' twice, at 2 and 3: rename one of them"),
        (["email", "", "s"], "has a column without a name, at 2: name it"),
    ],
)
def test_columns_that_would_be_lost_are_told_beforehand(tmp_path: Path, names: list[str], words: str) -> None:
    file = written(tmp_path / "p.parquet", pa.table([["a@x.test"], ["1"], ["2"]], names=names))
    with pytest.raises(CannotRun, match=words):
        opened(file, Given())


@pytest.mark.promise("P-IMPORT-02", "P-IMPORT-09")
def test_a_name_that_is_no_text_is_told_in_a_line(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"email": ["a@x.test"], "_fname": ["Ann"]}), tmp_path / "p.parquet", store_schema=False)
    whole = (tmp_path / "p.parquet").read_bytes()
    (tmp_path / "p.parquet").write_bytes(whole.replace(b"_fname", b"\xfffname"))
    with pytest.raises(CannotRun, match="is no Parquet file: 'utf-8' codec"):
        opened(tmp_path / "p.parquet", Given())


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-09")
def test_a_failed_row_of_which_one_value_is_corrected_is_what_it_would_have_been(tmp_path: Path) -> None:
    row = {
        "tags": ["a, b", "c"],
        "phones": ["+79001112233", "+79001112244"],
        "settings": {"a": 1, "since": datetime(2026, 1, 2, 3, 4, tzinfo=UTC)},
        "born": date(1990, 1, 2),
        "at": datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        "sum": Decimal("1.50"),
        "ratio": 2.0,
        "number": 7,
        "agrees": True,
        "text": "",
        "note": None,
        "custom_data.order": [1, 2],
    }
    good = pa.Table.from_pylist([{"email": "a@x.test", **row}])
    bad = pa.Table.from_pylist([{"email": "nobody", **row}])
    first, at_once = imported(written(tmp_path / "good.parquet", good))
    wrong, _ = imported(written(tmp_path / "bad.parquet", bad))
    failed = tmp_path / "bad.failed.ndjson"
    failed.write_text(failed.read_text().replace("nobody", "a@x.test"))
    again, corrected = imported(failed)

    assert [(tally.imported, tally.failed) for tally in (first, wrong, again)] == [(1, 0), (0, 1), (1, 0)]
    assert corrected == at_once
    assert corrected["data"]["at"] == "2026-01-02T03:04:05.000678+00:00"


def imported(file: Path) -> tuple[Tally, Any]:
    """With the profile that was sent."""
    table = opened(file, Given())
    with serving() as gateway, Client(gateway.url, TOKEN) as client, Failures(place(file, table, None), table) as failures:
        run = Import(table, mapped(table.columns, {}, {}, beside=frozenset()), failures, lambda *_: None)
        return run.send(client, Aim(8, 1, "email", None, {}, ""), "once"), gateway.got[0].body["data"][0]


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-09")
def test_failed_rows_are_kept_where_their_name_says_what_they_are(tmp_path: Path) -> None:
    table = opened(written(tmp_path / "p.parquet", people(1)), Given())
    for name in ("failed.csv", "failed.TSV", "failed.xlsx"):
        with pytest.raises(CannotRun, match=r"are kept as NDJSON: .*--failed .*failed\.ndjson"):
            place(tmp_path / "p.parquet", table, tmp_path / name)

    for name in ("failed.json", "failed", "failed.out"):
        assert place(tmp_path / "p.parquet", table, tmp_path / name) == tmp_path / name


@pytest.mark.promise("P-IMPORT-06")
def test_what_no_json_says_is_kept_as_a_text(tmp_path: Path) -> None:
    table = opened(written(tmp_path / "p.parquet", people(1).append_column("raw", pa.array([b"\xff"]))), Given())
    with Failures(tmp_path / "f.ndjson", table) as failures:
        failures.add(next(table.rows()), "Cannot be sent: bytes is no JSON")

    assert json.loads((tmp_path / "f.ndjson").read_text())["raw"] == r"b'\xff'"
