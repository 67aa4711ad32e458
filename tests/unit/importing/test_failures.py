"""Failed rows on a disk that is full."""

import os
from pathlib import Path

import pytest

from profuse.importing.failures import Failures, NotKept
from profuse.importing.table import Row, Table
from runtime.errors import CannotRun

TABLE = Table(["email"], lambda: iter(()), 1, "", "CSV")
FULL = Path("/dev/full")


def keep(count: int, ended_by: CannotRun | None = None) -> None:
    with Failures(FULL, TABLE) as failures:
        for line in range(count):
            failures.add(Row(line, ["nobody"]), "Incorrect email (email)")
        if ended_by is not None:
            raise ended_by


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-10")
@pytest.mark.parametrize("count", [1, 100_000], ids=["told at the end", "told in the middle"])
def test_a_full_disk_is_told_in_a_line(count: int) -> None:
    with pytest.raises(NotKept) as refused:
        keep(count)

    assert str(refused.value) == "/dev/full cannot be written: No space left on device; make room, or name another place by --failed"


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-10")
def test_what_ended_an_import_is_told_rather_than_the_full_disk_behind_it() -> None:
    with pytest.raises(CannotRun, match="Interrupted"):
        keep(1, CannotRun("Interrupted"))


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-10")
def test_a_place_that_is_none_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(NotKept, match="cannot be written: No such file or directory"):
        Failures(tmp_path / "no" / "f.csv", TABLE).add(Row(2, ["nobody"]), "Incorrect email (email)")


def fail_once(file: Path, table: Table) -> None:
    with Failures(file, table) as failures:
        failures.add(Row(2, {"email": "nobody"} if table.objects else ["nobody"]), "Incorrect email (email)")


@pytest.mark.promise("P-IMPORT-06")
@pytest.mark.parametrize("table", [TABLE, Table(None, lambda: iter(()), 1, "", "NDJSON", objects=True)], ids=["CSV", "NDJSON"])
def test_an_import_without_failures_leaves_none_of_an_earlier_one(tmp_path: Path, table: Table) -> None:
    fail_once(file := tmp_path / "f", table)
    with Failures(file, table):
        was_there = file.exists()

    assert (was_there, file.exists()) == (True, False)


@pytest.mark.promise("P-IMPORT-06")
def test_an_import_that_did_not_come_to_its_end_leaves_what_an_earlier_one_kept(tmp_path: Path) -> None:
    fail_once(file := tmp_path / "f.csv", TABLE)
    with pytest.raises(CannotRun), Failures(file, TABLE):
        raise CannotRun("Interrupted")

    assert file.exists()


@pytest.mark.promise("P-IMPORT-06")
def test_only_failed_rows_are_removed(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_text("email\nann@file.test\n")
    os.mkfifo(pipe := tmp_path / "pipe")
    for file in (own, tmp_path / "none", pipe):
        with Failures(file, TABLE):
            pass

    assert own.exists()
    assert pipe.exists()
