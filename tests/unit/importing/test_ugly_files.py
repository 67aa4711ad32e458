"""Files as people have them: each is read, row by row, or refused in one line that says what to do."""

import json
from pathlib import Path

import pytest

from profuse.importing.aim import Aim, found
from profuse.importing.lines import LONGEST
from profuse.importing.ndjson import LONGEST_OBJECT
from profuse.importing.opening import Given, opened
from profuse.importing.table import Row
from runtime.errors import CannotRun

HEADER = "email,_fname\n"


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def rows(folder: Path, content: str | bytes, name: str = "people.csv", given: Given | None = None) -> list[Row]:
    return list(opened(written(folder, content, name), given or Given()).rows())


def values(found: list[Row]) -> list[dict[str, str] | str | None]:
    return [dict(row.values) if row.values is not None else row.wrong for row in found]


ANN_AS_JSON = '{"email":"ann@x.test","_fname":"Анна"}\n'
ANN = {"email": "ann@x.test", "_fname": "Анна"}


@pytest.mark.promise("P-IMPORT-01")
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16", b""), ("utf-16-le", b""), ("utf-16-be", b""), ("utf-32", b""), ("cp1251", b"")],
)
def test_encoding_and_delimiter_are_found_out(tmp_path: Path, encoding: str, mark: bytes, delimiter: str) -> None:
    text = f"email{delimiter}_fname\r\nann@x.test{delimiter}Анна\r\n" + f"bob@x.test{delimiter}Борис\r\n" * 30

    assert values(rows(tmp_path, mark + text.encode(encoding)))[:2] == [ANN, {"email": "bob@x.test", "_fname": "Борис"}]


@pytest.mark.promise("P-IMPORT-01")
@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-16", "utf-16-le", "UTF_16_BE", "utf-32-le"])
def test_a_mark_is_no_letter_of_the_first_column_where_the_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    content = (mark + HEADER + "ann@x.test,Анна\n").encode(encoding)

    assert values(rows(tmp_path, content, given=Given(encoding=encoding))) == [ANN]


@pytest.mark.promise("P-IMPORT-01")
def test_a_mark_of_another_encoding_than_the_one_that_is_named_is_believed_less(tmp_path: Path) -> None:
    table = opened(written(tmp_path, ("\ufeff" + HEADER).encode()), Given(encoding="cp1252"))

    assert table.columns == ["ï»¿email", "_fname"]


@pytest.mark.promise("P-IMPORT-01")
def test_accents_are_not_taken_for_cyrillic(tmp_path: Path) -> None:
    content = (HEADER + "rene@x.test,René Müller\nzoe@x.test,Zoë\n").encode("cp1252")

    assert values(rows(tmp_path, content))[0] == {"email": "rene@x.test", "_fname": "René Müller"}


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
def test_a_broken_letter_in_utf_8_costs_its_own_row_alone(tmp_path: Path) -> None:
    content = (HEADER + "ann@x.test,Анна\n" * 20).encode() + b"bad@x.test,\xd0\n"
    found = values(rows(tmp_path, content))

    assert found[:20] == [ANN] * 20
    # What the server answers with `Text cannot be stored`.
    assert found[20] == {"email": "bad@x.test", "_fname": "\udcd0"}


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
@pytest.mark.parametrize("name", ["people.csv", "people.ndjson"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("end", [b"", b"\n"], ids=["whole", "an odd byte at the end"])
def test_half_a_letter_among_wide_ones_costs_its_own_row_alone(tmp_path: Path, name: str, encoding: str, mark: str, end: bytes) -> None:
    good, header = (ANN_AS_JSON, "") if name.endswith("ndjson") else ("ann@x.test,Анна\n", HEADER)
    content = mark + header + good * 5 + good.replace("Анна", "\ud83d") + good * 5_000
    found = values(rows(tmp_path, content.encode(encoding, "surrogatepass") + end, name))

    assert found[:5] == [ANN] * 5
    assert isinstance(found[5], dict)
    # What the server answers with `Text cannot be stored`.
    assert all("\udc00" <= letter <= "\udcff" for letter in found[5]["_fname"])
    assert found[6:5_006] == [ANN] * 5_000
    assert [isinstance(each, str) for each in found[5_006:]] == [True] * len(end)


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be"])
def test_half_of_a_last_letter_costs_its_row(tmp_path: Path, encoding: str) -> None:
    whole = ("\ufeff" + HEADER + "ann@x.test,Анна\nbob@x.test,Bob").encode(encoding)

    assert values(rows(tmp_path, whole[:-1])) == [ANN, {"email": "bob@x.test", "_fname": f"Bo{decoded_alone(encoding)}"}]


def decoded_alone(encoding: str) -> str:
    """The halves of what is left of a `b` whose last byte is cut off."""
    return "".join(chr(0xDC00 | byte) for byte in "b".encode(encoding)[:-1])


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
@pytest.mark.parametrize(("encoding", "broken"), [("utf-7", b"+AGE"), ("gb18030", b"\x81\x30"), ("iso2022_jp", b"\x1b$B!"), ("hz", b"~{!")])
def test_a_broken_letter_whose_bytes_are_ascii_elsewhere_ends_no_import(tmp_path: Path, encoding: str, broken: bytes) -> None:
    found = rows(tmp_path, HEADER.encode() + b"ann@x.test,Ann\n" * 2_000 + b"bad@x.test," + broken, given=Given(encoding=encoding))

    assert values(found)[:2_000] == [{"email": "ann@x.test", "_fname": "Ann"}] * 2_000


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-11")
@pytest.mark.parametrize("line", [" " * 2_000 + "x" * LONGEST, '"'], ids=["too long", "a quote and nothing else"])
def test_what_cannot_be_read_fails_though_what_is_shown_of_it_is_blank(tmp_path: Path, line: str) -> None:
    (found, _) = rows(tmp_path, f"{HEADER}{line}\nann@x.test,Анна\n")

    assert (found.line, found.values, bool(found.wrong)) == (2, None, True)


@pytest.mark.promise("P-IMPORT-02")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        ("\n\n  \n", "is empty"),
        ("ann@x.test,Ann\nbob@x.test,Bob\n", "has no header: its first line holds 'ann@x.test'. Name its columns: --columns"),
        ("1,2,3\n", "has no header"),
        ("email,_fname,email\na@x.test,A,b@x.test\n", "has the column 'email' twice, at 1 and 3"),
        ('"email,_fname\nann@x.test,Ann\n', "has no header that can be read: a quote is not closed"),
    ],
)
def test_a_file_without_a_usable_header_is_refused_in_a_line(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(CannotRun, match=words) as refused:
        rows(tmp_path, content)

    assert str(refused.value).count("\n") == 0


@pytest.mark.promise("P-IMPORT-02")
def test_a_directory_a_missing_file_and_an_unknown_kind_are_refused_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for file, words in (
        (tmp_path / "folder.csv", "is a directory"),
        (tmp_path / "no.csv", "No such file"),
        (tmp_path / "a.doc", "--format"),
    ):
        with pytest.raises(CannotRun, match=words):
            opened(file, Given())


@pytest.mark.promise("P-IMPORT-02")
def test_a_file_without_a_header_has_the_columns_that_are_named(tmp_path: Path) -> None:
    found = rows(tmp_path, "ann@x.test,Анна\n", given=Given(columns=["email", "_fname"]))

    assert (values(found), found[0].line) == ([ANN], 1)


@pytest.mark.promise("P-IMPORT-02")
@pytest.mark.parametrize(
    ("name", "columns", "words"),
    [
        ("people.csv", ["email", "s", "s"], "--columns names the column 's' twice, at 2 and 3"),
        ("people.xlsx", ["email", "email"], "--columns names the column 'email' twice"),
        ("people.ndjson", ["email"], "--columns is for files without a header, and ndjson names what it holds"),
        ("people.parquet", ["email"], "--columns is for files without a header, and parquet names what it holds"),
    ],
)
def test_columns_that_cannot_be_meant_are_refused_in_a_line(tmp_path: Path, name: str, columns: list[str], words: str) -> None:
    with pytest.raises(CannotRun, match=words):
        rows(tmp_path, "ann@x.test,1,2\n", name, Given(columns=columns))


@pytest.mark.promise("P-IMPORT-03")
def test_ragged_rows_fail_alone_and_blank_ones_are_none(tmp_path: Path) -> None:
    found = rows(tmp_path, HEADER + "ann@x.test,Анна\nbob@x.test\n\n , \nann@x.test,Анна,,\ncid@x.test,Cid,x\n")

    assert values(found) == [ANN, "1 columns instead of 2", ANN, "3 columns instead of 2"]
    assert [row.line for row in found] == [2, 3, 6, 7]


@pytest.mark.promise("P-IMPORT-03")
@pytest.mark.parametrize("rest", [100, 20_000], ids=["to the end", "for longer than a profile may be"])
def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path, rest: int) -> None:
    found = rows(tmp_path, HEADER + 'bad@x.test,"Bad\n' + "ann@x.test,Анна\n" * rest)

    assert (found[0].line, found[0].wrong, found[0].given) == (2, "a quote is not closed", ["bad@x.test", "Bad"])
    assert values(found[1:]) == [ANN] * rest
    assert [row.line for row in found] == list(range(2, rest + 3))


@pytest.mark.promise("P-IMPORT-03")
def test_a_quote_that_another_ones_quote_would_close_costs_its_own_line(tmp_path: Path) -> None:
    found = rows(tmp_path, HEADER + 'bad@x.test,"Bad\n' + "ann@x.test,Анна\n" * 5 + 'bob@x.test,"Bob, Jr."\n')

    assert values(found) == ["a quote is not closed", *[ANN] * 5, {"email": "bob@x.test", "_fname": "Bob, Jr."}]


WIDE = "email,s,_fname\n"


@pytest.mark.promise("P-IMPORT-03")
@pytest.mark.parametrize(
    ("later", "its"), [('says ""hi""', 'says "hi"'), ("x, y", "x, y"), ("two\nlines", "two\nlines")], ids=["quotes", "a comma", "lines"]
)
def test_a_stray_quote_swallows_no_rows_up_to_one_that_quotes_the_same_column(tmp_path: Path, later: str, its: str) -> None:
    found = rows(
        tmp_path, WIDE + 'w1@x.test,"Ann,Ann\nw2@x.test,,Bob\nw3@x.test,plain,Cid\nw4@x.test,"' + later + '",Dan\nw5@x.test,,Eve\n'
    )

    assert values(found) == [
        "a quote is not closed",
        {"email": "w2@x.test", "_fname": "Bob"},
        {"email": "w3@x.test", "s": "plain", "_fname": "Cid"},
        {"email": "w4@x.test", "s": its, "_fname": "Dan"},
        {"email": "w5@x.test", "_fname": "Eve"},
    ]
    assert [row.line for row in found][:4] == [2, 3, 4, 5]


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-03")
def test_what_stands_behind_a_closing_quote_in_its_line_is_a_part_of_its_cell(tmp_path: Path) -> None:
    found = rows(tmp_path, WIDE + 'ann@x.test,"tail"x,Ann\nbad@x.test,"tail"x,"open\nbob@x.test,in "the" midst,"B\nob"\n')

    assert values(found) == [
        {"email": "ann@x.test", "s": "tailx", "_fname": "Ann"},
        "a quote is not closed",
        {"email": "bob@x.test", "s": 'in "the" midst', "_fname": "B\nob"},
    ]


@pytest.mark.promise("P-IMPORT-01")
def test_a_quoted_cell_may_have_lines_quotes_and_delimiters(tmp_path: Path) -> None:
    found = rows(tmp_path, HEADER + 'ann@x.test,"An\r\nn, ""the"" first"\nbob@x.test,Bob 5" tall\n')

    assert [row.values and row.values["_fname"] for row in found] == ['An\r\nn, "the" first', 'Bob 5" tall']
    assert [row.line for row in found] == [2, 4]


@pytest.mark.promise("P-IMPORT-12")
@pytest.mark.parametrize("end", ["\n", ",\n", ", ,\n"], ids=["as the header", "a delimiter behind it", "blank cells behind it"])
def test_text_in_a_quoted_cell_is_no_row(tmp_path: Path, end: str) -> None:
    found = rows(tmp_path, f'{HEADER}ann@x.test,"call\nbob@x.test,him\nlater"{end}cid@x.test,Cid{end}')

    assert values(found) == [
        {"email": "ann@x.test", "_fname": "call\nbob@x.test,him\nlater"},
        {"email": "cid@x.test", "_fname": "Cid"},
    ]


@pytest.mark.promise("P-IMPORT-12", "P-IMPORT-03")
@pytest.mark.parametrize(
    ("record", "why"),
    [
        ('ann@x.test,"call\nbob@x.test,Bob,free\nlater"', "2 columns instead of 3"),
        ('ann@x.test,"call\nbob@x.test,Bob,free"', "2 columns instead of 3"),
        ('ann@x.test,"call, now\nbob@x.test,Bob,free\nlater"', "2 columns instead of 3"),
        ('"ann@x.test\nbob@x.test,Bob,free"', "1 columns instead of 3"),
        ('ann@x.test,"call\nbob@x.test,Bob,free",Ann,more', "4 columns instead of 3"),
        ('"Smith, Ann","call\nbob@x.test,Bob,free"', "2 columns instead of 3"),
    ],
)
def test_a_record_of_several_lines_that_has_too_few_or_too_many_cells_is_one_failed_row(tmp_path: Path, record: str, why: str) -> None:
    found = rows(tmp_path, f"email,_fname,plan\n{record}\ncid@x.test,Cid,pro\n")

    assert values(found) == [why, {"email": "cid@x.test", "_fname": "Cid", "plan": "pro"}]


@pytest.mark.promise("P-IMPORT-03")
@pytest.mark.parametrize(
    "last",
    ['bob@x.test,Bob,24"', 'bob@x.test,",Jr.",free'],
    ids=["inches at its end", "a quoted cell that begins with a delimiter"],
)
@pytest.mark.parametrize("first", ["bad@x.test", '"bad, too"'])
def test_a_stray_quote_that_a_later_one_closes_swallows_no_rows(tmp_path: Path, first: str, last: str) -> None:
    ann = {"email": "ann@x.test", "s": "Анна", "_fname": "free"}
    found = values(rows(tmp_path, f'{WIDE}{first},"Bad,free\n' + "ann@x.test,Анна,free\n\n" * 5 + last + "\n"))

    assert found[:6] == ["a quote is not closed", *[ann] * 5]
    assert isinstance(found[6], dict)


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-04")
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("beyond", [0, 1, 2, 30_000, LONGEST - 1, LONGEST, LONGEST + 1, LONGEST + 2])
@pytest.mark.parametrize("name", ["people.csv", "people.ndjson"])
def test_a_line_that_is_too_long_ends_as_the_others_do(tmp_path: Path, name: str, beyond: int, end: str) -> None:
    good = '{"email":"ann@x.test","_fname":"Анна"}' if name.endswith("ndjson") else "ann@x.test,Анна"
    header = "" if name.endswith("ndjson") else "email,_fname" + end
    longest = LONGEST_OBJECT if name.endswith("ndjson") else LONGEST
    found = rows(tmp_path, header + "x" * (longest + beyond) + end + (good + end) * 3, name)

    assert values(found) == [f"a line of more than {longest} characters; the row has only their beginning", ANN, ANN, ANN]
    assert [row.line - found[0].line for row in found] == [0, 1, 2, 3]


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-04")
@pytest.mark.parametrize("name", ["people.csv", "people.ndjson"])
def test_a_line_of_ten_megabytes_costs_itself(tmp_path: Path, name: str) -> None:
    good = '{"email":"ann@x.test","_fname":"Анна"}\n' if name.endswith("ndjson") else "ann@x.test,Анна\n"
    found = rows(tmp_path, ("" if name.endswith("ndjson") else HEADER) + "x" * 10_000_000 + "\n" + good, name)

    longest = LONGEST_OBJECT if name.endswith("ndjson") else LONGEST
    assert values(found) == [f"a line of more than {longest} characters; the row has only their beginning", ANN]
    assert len(str(found[0].given)) < 2_000


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-11")
def test_a_row_whose_quote_is_not_closed_is_kept_whole(tmp_path: Path) -> None:
    (found, _) = rows(tmp_path, f'{HEADER}"a,b@x.test","Ann {"n" * 3_000},END\nann@x.test,Анна\n')

    assert found.given is not None
    assert "END" in str(found.given)
    assert "n" * 3_000 in str(found.given)


@pytest.mark.promise("P-IMPORT-11")
def test_an_object_whose_letters_are_all_escaped_may_be_as_large_as_one_whose_are_not(tmp_path: Path) -> None:
    name = "\u0416" * 100_000
    (found,) = rows(tmp_path, json.dumps({"email": "ann@x.test", "_fname": name}) + "\n", "people.ndjson")

    assert values([found]) == [{"email": "ann@x.test", "_fname": name}]


@pytest.mark.promise("P-IMPORT-03")
def test_nul_bytes_stay_for_the_server_to_refuse(tmp_path: Path) -> None:
    assert values(rows(tmp_path, HEADER + "ann@x.test,A\0n\nann@x.test,Анна\n")) == [{"email": "ann@x.test", "_fname": "A\0n"}, ANN]


@pytest.mark.promise("P-IMPORT-03")
def test_lines_of_ndjson_that_are_no_object_fail_alone(tmp_path: Path) -> None:
    lines = '{"email":"ann@x.test","_fname":"Анна"}\n\n{"email":\n[1]\n{"#error":"x","email":"b@x.test"}\n{"email":"c@x.test","":"x"}\n'
    found = rows(tmp_path, lines, "p.ndjson")

    assert values(found) == [
        ANN,
        "not JSON: Expecting value at character 1",
        "not a JSON object",
        {"#error": "x", "email": "b@x.test"},
        "'x' has no name",
    ]
    assert found[1].given == {"#text": '{"email":'}


@pytest.mark.promise("P-IMPORT-02")
def test_one_json_array_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"write one object a line: jq -c '\.\[\]'"):
        rows(tmp_path, '[{"email":"a@x.test"}]', "people.json")


@pytest.mark.promise("P-IMPORT-03")
def test_what_stands_in_a_column_without_a_name_fails_its_row(tmp_path: Path) -> None:
    assert values(rows(tmp_path, "email,\na@x.test,\nb@x.test,b\n")) == [{"email": "a@x.test"}, "'b' is in a column without a name"]


@pytest.mark.promise("P-IMPORT-01")
def test_what_separates_columns_is_what_most_rows_agree_on(tmp_path: Path) -> None:
    found = rows(tmp_path, "email;first, last, middle\n" + "ann@x.test;Анна\n" * 5 + "bob@x.test;Bob, B., Jr.\n")

    assert values(found)[0] == {"email": "ann@x.test", "first, last, middle": "Анна"}


@pytest.mark.promise("P-IMPORT-02", "P-DOOR-13")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Given(encoding="utf-16"), "is not utf-16 to its end: .*BOM"),
        (Given(encoding="idna"), "is not idna to its end"),
        (Given(encoding="no such"), "is none that Python knows"),
        (Given(delimiter=";;"), "--delimiter ';;' must be one character"),
        (Given(delimiter=""), "has no header|must be one character"),
    ],
)
def test_what_a_file_is_not_written_in_is_told_in_a_line(tmp_path: Path, given: Given, words: str) -> None:
    with pytest.raises(CannotRun, match=words) as refused:
        rows(tmp_path, "email;_fname\nann@x.test;Ann\n", given=given)

    assert "\n" not in str(refused.value)


@pytest.mark.promise("P-IMPORT-02", "P-DOOR-13")
@pytest.mark.parametrize("encoding", ["utf-16", "undefined"])
def test_what_ndjson_is_not_written_in_is_told_in_a_line(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(CannotRun, match=f"is not {encoding} to its end"):
        rows(tmp_path, '{"email":"ann@x.test"}\n', "people.ndjson", Given(encoding=encoding))


@pytest.mark.promise("P-IMPORT-02", "P-DOOR-13")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet", "xlsx"])
def test_a_file_that_cannot_be_read_though_it_opens_is_told_in_a_line(kind: str) -> None:
    with pytest.raises(CannotRun, match=r"cannot be read: Input/output error|is no Parquet file") as refused:
        opened(Path("/proc/self/mem"), Given(kind))

    assert "\n" not in str(refused.value)


@pytest.mark.promise("P-DOOR-13")
@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        ("nonsense", "x", "'nonsense' is no address"),
        ("http://", "x", "is no address"),
        ("ftp://h/", "x", "is no address"),
        ("http://[::1", "x", "is no address"),
        ("http://127.0.0.1:9", "é", "the token is empty, or holds"),
        ("http://127.0.0.1:9", "s3cret\n", "the token is empty, or holds"),
        ("http://127.0.0.1:9", "", "the token is empty, or holds"),
    ],
)
def test_an_address_or_a_token_that_is_none_is_told_in_a_line(url: str, token: str, words: str) -> None:
    with pytest.raises(CannotRun, match=words) as refused:
        found(url, token, Aim(None, 1, "email", None, {}, ""))

    assert "\n" not in str(refused.value)
