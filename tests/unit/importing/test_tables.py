"""Parquet and spreadsheets: read like the rest, or one line that says what is missing."""

import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from profuse.importing.opening import Given, opened
from runtime.errors import CannotRun

_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="People" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
    'Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}

NOT_THERE = "#N/A"


def sheet(file: Path, *rows: list[str | float | bool]) -> Path:
    def cell(value: str | float | bool) -> str:
        if value == NOT_THERE:
            return f'<c t="e"><f>VLOOKUP("x",A:A,1)</f><v>{value}</v></c>'
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c t="b"><v>{int(value)}</v></c>' if isinstance(value, bool) else f"<c><v>{value}</v></c>"

    data = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, text)
        archive.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{data}</sheetData></worksheet>',
        )
    return file


@pytest.mark.promise("P-IMPORT-09")
def test_a_spreadsheets_cells_are_read_as_a_person_sees_them(tmp_path: Path) -> None:
    file = sheet(tmp_path / "p.xlsx", ["email", "number", "ratio", "consent"], ["a@x.test", 7, 1.5, True], ["b@x.test", "", "", ""])
    table = opened(file, Given())
    first, second = table.rows()

    assert table.columns == ["email", "number", "ratio", "consent"]
    assert (first.line, first.values) == (2, {"email": "a@x.test", "number": "7", "ratio": "1.5", "consent": "true"})
    assert second.values == {"email": "b@x.test"}


@pytest.mark.promise("P-IMPORT-09")
def test_a_spreadsheets_cell_that_holds_an_error_says_nothing(tmp_path: Path) -> None:
    (row,) = opened(sheet(tmp_path / "p.xlsx", ["email", "plan"], ["a@x.test", NOT_THERE]), Given()).rows()

    assert row.values == {"email": "a@x.test"}


@pytest.mark.promise("P-IMPORT-09", "P-IMPORT-03")
def test_a_row_of_blanks_is_none(tmp_path: Path) -> None:
    blanks: list[list[str | float | bool]] = [["", ""], ["  ", "\u00a0"], [NOT_THERE, " "], []]
    sheets = opened(sheet(tmp_path / "p.xlsx", ["email", "plan"], *blanks, ["a@x.test", 7]), Given())
    columns = {"email": ["", " ", None, None, "a@x.test"], "plan": [None, "", "\u00a0", None, "7"]}
    parquet.write_table(pa.table(columns), tmp_path / "p.parquet")
    parquets = opened(tmp_path / "p.parquet", Given())

    assert [(row.line, row.values) for row in sheets.rows()] == [(6, {"email": "a@x.test", "plan": "7"})]
    assert [(row.line, row.values) for row in parquets.rows()] == [(5, {"email": "a@x.test", "plan": "7"})]


@pytest.mark.promise("P-IMPORT-09", "P-IMPORT-02")
def test_a_spreadsheet_needs_a_header_too(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="has no header"):
        opened(sheet(tmp_path / "p.xlsx", ["a@x.test", 7]), Given())


@pytest.mark.promise("P-IMPORT-09", "P-IMPORT-02")
def test_a_spreadsheet_without_a_header_has_the_columns_that_are_named(tmp_path: Path) -> None:
    headers: list[list[str | float | bool]] = [[], [""], ["", ""]]
    for number, header in enumerate(headers):
        file = sheet(tmp_path / f"{number}.xlsx", header, ["a@x.test", 7])
        with pytest.raises(CannotRun, match="Name its columns: --columns"):
            opened(file, Given())
        found = list(opened(file, Given(columns=["email", "number"])).rows())

        assert [(row.line, row.values) for row in found] == [(2, {"email": "a@x.test", "number": "7"})]
    (row,) = opened(sheet(tmp_path / "p.xlsx", ["a@x.test", 7]), Given(columns=["email", "number"])).rows()
    assert (row.line, row.values) == (1, {"email": "a@x.test", "number": "7"})


@pytest.mark.promise("P-IMPORT-09")
def test_parquet_keeps_its_types_and_nulls_give_nothing(tmp_path: Path) -> None:
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    rows = [
        {"email": "a@x.test", "number": 7, "tags": ["x", "y"], "since": at, "born": date(1990, 1, 2), "sum": Decimal("1.50")},
        {"email": "b@x.test", "number": None, "tags": None, "since": None, "born": None, "sum": None},
    ]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
    table = opened(tmp_path / "p.parquet", Given())
    first, second = table.rows()

    assert (table.total, first.line, second.line) == (2, 1, 2)
    assert first.values == rows[0]
    assert second.values == {"email": "b@x.test"}


@pytest.mark.promise("P-IMPORT-09", "P-IMPORT-02")
@pytest.mark.parametrize("name", ["p.parquet", "p.xlsx"])
def test_what_is_none_of_its_kind_is_refused_in_a_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("email\na@x.test\n")
    with pytest.raises(CannotRun, match="is no") as refused:
        opened(tmp_path / name, Given())

    assert "\n" not in str(refused.value)


@pytest.mark.promise("P-IMPORT-09")
@pytest.mark.parametrize(("name", "package"), [("p.parquet", "pyarrow"), ("p.xlsx", "python-calamine")])
def test_where_the_extra_is_not_installed_a_line_says_so(tmp_path: Path, name: str, package: str) -> None:
    (tmp_path / name).touch()
    # None makes an import fail as if the package were not installed.
    script = (
        f"import sys; sys.modules.update(pyarrow=None, python_calamine=None); sys.argv = ['profuse', 'import', {str(tmp_path / name)!r}"
    )
    script += ", '--db', '1', '--token', 'x', '--url', 'http://127.0.0.1:9']; import profuse.__main__; profuse.__main__.main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"needs the extra `files`: pip install {package}.")
