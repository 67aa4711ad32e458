"""What a cell or a file of columns may say, by what may not be said."""

from pathlib import Path

import pytest

from profuse.importing.mapping import Mapped, Unreadable
from profuse.importing.whole import columns_of
from runtime.errors import CannotRun


@pytest.mark.promise("P-IMPORT-03")
@pytest.mark.parametrize("text", ["{", "[" * 3_000, "[" + "9" * 5_000 + "]"])
def test_a_cell_that_is_no_json_costs_its_own_row(text: str) -> None:
    with pytest.raises(Unreadable, match="o: not JSON: "):
        Mapped({}, {"o": "object"}, beside=True).item({"o": text})


@pytest.mark.promise("P-IMPORT-05", "P-DOOR-13")
@pytest.mark.parametrize("text", ["a = ", "a = " + "9" * 5_000, "a = " + "[" * 3_000, "a = 1", "\udcff"])
def test_a_file_of_columns_that_cannot_be_meant_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "map.toml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(CannotRun) as refused:
        columns_of(tmp_path / "map.toml")

    assert "\n" not in str(refused.value)


@pytest.mark.promise("P-IMPORT-05")
def test_a_mark_at_the_beginning_is_no_part_of_a_file_of_columns(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('\ufeff"E-mail" = "email"')

    assert columns_of(tmp_path / "map.toml") == {"E-mail": "email"}
