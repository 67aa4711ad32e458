"""What a file is written in, told by all its bytes."""

from pathlib import Path

import pytest

from profuse.importing.opening import Given, opened
from profuse.importing.table import Table

MIB = 1024 * 1024
# More than what is looked at together.
ASCII_BLOCKS = b"ann@x.test,Ann\n" * (MIB // 10)
RENE, BORIS, STRAY = "rene@x.test,René\n".encode(), "boris@x.test,Борис\n".encode(), b"zoe@x.test,Zo\xeb\n"


def looked(folder: Path, content: bytes, header: bytes = b"email,_fname\n") -> Table:
    file = folder / "people.csv"
    file.write_bytes(header + content)
    return opened(file, Given())


def names(table: Table) -> list[str]:
    return [row.given[1] if row.values is None else str(row.values["_fname"]) for row in table.rows()]


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
@pytest.mark.parametrize(
    "content",
    [
        RENE * 9 + STRAY + b"ann@x.test,Ann\n" * 5_000,
        STRAY + ASCII_BLOCKS + BORIS * 20,
        BORIS * 20 + ASCII_BLOCKS + STRAY,
        RENE + ASCII_BLOCKS + STRAY,
        RENE + STRAY,
    ],
    ids=["among few", "before a block of ASCII", "behind one", "one of each", "one of each together"],
)
def test_one_wrong_byte_in_utf_8_costs_its_own_row_wherever_it_is(tmp_path: Path, content: bytes) -> None:
    table = looked(tmp_path, content)

    assert table.described.startswith("CSV in utf-8,")
    assert set(names(table)) - {"Ann"} <= {"René", "Борис", "Zo\udceb"}


@pytest.mark.promise("P-IMPORT-01")
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Zoë\n", "cp1252"),
        ("Größe Straße Müller Ärger Übung schön für Ã©\n", "cp1252"),
        ("René Noël façade œuvre «été»\n", "cp1252"),
        ("Фирма «Ромашка»; № 5; Анна Иванова; ЁЖ; П»\n", "cp1251"),
        ("№ 5\n" + "Ann\n" * MIB + "Анна Иванова\n", "cp1251"),
        ("Анна Иванова\n" + "Ann\n" * MIB + "№ 5\n", "cp1251"),
        ("Zoë\n" * 50 + "Ann\n" * MIB + "Größe\n", "cp1252"),
        ("Zoë\n" * 50 + "Ann\n" * MIB + "Zoë Ã©Ã©Ã©\n", "cp1252"),
    ],
    ids=[
        "one letter",
        "German",
        "French",
        "Russian",
        "Russian behind a block of ASCII",
        "Russian before one",
        "accents that touch behind one",
        "what could be UTF-8 behind one",
    ],
)
def test_a_text_of_eight_bits_is_none_of_utf_8(tmp_path: Path, text: str, encoding: str) -> None:
    table = looked(tmp_path, text.replace("\n", ",x\n").encode(encoding))

    assert table.described.startswith(f"CSV in {encoding},")


@pytest.mark.promise("P-IMPORT-01")
def test_a_letter_that_another_program_had_lost_is_no_wrong_byte(tmp_path: Path) -> None:
    assert looked(tmp_path, "zoe@x.test,Zo\ufffd\n".encode()).described.startswith("CSV in utf-8,")


@pytest.mark.promise("P-IMPORT-01")
def test_a_letter_between_two_blocks_is_a_whole_one(tmp_path: Path) -> None:
    header = b"email,_fname\n"
    before = b"x" * (MIB - len(header) - len("\nboris@x.test,Б".encode()) + 1)
    table = looked(tmp_path, before + b"\n" + BORIS)

    assert (header + before + b"\n" + BORIS)[:MIB].endswith("Б".encode()[:1])
    assert table.described.startswith("CSV in utf-8,")


CYRILLIC = "Имя;Фамилия;Почта;Комментарий\n" + (
    "Анна;Константинопольская;ann@x.test;Просит звонить после обеда только по рабочим дням\n" * 20
)


@pytest.mark.promise("P-IMPORT-01")
@pytest.mark.parametrize("text", ["Name;Mail\nAnn;ann@x.test\n", CYRILLIC, CYRILLIC.replace("\n", "\r"), "Имя;Mail\nЊ上;a@x.test\n"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_an_encoding_of_wide_letters_is_known_without_its_mark(tmp_path: Path, encoding: str, text: str) -> None:
    table = looked(tmp_path, text.encode(encoding), header=b"")

    assert table.described.startswith(f"CSV in {encoding},")
    assert table.columns == text.splitlines()[0].split(";")


@pytest.mark.promise("P-IMPORT-01")
def test_a_wrong_letter_does_not_hide_what_the_others_are_written_in(tmp_path: Path) -> None:
    assert looked(tmp_path, (CYRILLIC * 20).encode("utf-32-le") + b"\xff" * 4, header=b"").described.startswith("CSV in utf-32-le,")


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
@pytest.mark.parametrize(
    "content",
    [
        b"ann@x.test,A\0\n" * 20,
        b"\0ann@x.test,A\n" * 20,
        b"ann@x.test,Anna\0\n" * 20,
        b"ann@x.test,Ann\n" + b"\0" * 5_000,
        b"ann@x.test,A\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\n" * 20,
        b"ann@x.test,A" + b"\0" * 31 + b"\n",
        b"\0a@x.test,\0A\n",
        b"\0" * 12,
    ],
    ids=["odd rows", "at their beginnings", "even rows", "a tail of them", "filled up", "filled up unevenly", "one row", "nothing else"],
)
def test_nuls_alone_make_no_wide_letters(tmp_path: Path, content: bytes) -> None:
    assert looked(tmp_path, content).described.startswith("CSV in utf-8,")
