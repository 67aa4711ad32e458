"""Failed rows on a disk that is full."""

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
