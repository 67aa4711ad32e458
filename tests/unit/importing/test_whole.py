"""What is told of an import that did not come to its end."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from profuse.importing.aim import Aim
from profuse.importing.failures import Failures
from profuse.importing.opening import Given, opened
from profuse.importing.running import Tell
from profuse.importing.table import Row, Table
from profuse.importing.whole import Door, checked, imported
from runtime.errors import CannotRun
from tests.client_library.server import TOKEN, Gateway, refuse, serving

DAY = timedelta(hours=24)
AIM = Aim(None, 1, "email", None, {}, "")
AFTER_THE_FIRST = "until 24 hours after its first run began"


def interrupt(*_: int) -> None:
    raise KeyboardInterrupt


def interrupt_at(count: int) -> Tell:
    def tell(_: int, rows: int, __: int) -> None:
        if rows >= count:
            raise KeyboardInterrupt

    return tell


def silent(*_: object) -> None:
    pass


def people(first: int, count: int) -> str:
    return "".join(f"p{number}@x.test\n" for number in range(first, first + count))


def broken_off(table: Table, gateway: Gateway, tell: Tell, failed: Path) -> str:
    """What an import ends with."""
    # The question for the fields of the database, which nobody here knows.
    gateway.moods = [lambda *_: refuse(403, "No access")]
    with pytest.raises(CannotRun) as told:
        imported(table, Door(gateway.url, TOKEN), AIM, Given(), Failures(failed, table), silent, tell)
    return str(told.value)


def ended(folder: Path, gateway: Gateway, tell: Tell, last: str, failed: Path) -> str:
    """What an import of 500 rows and one more ends with."""
    file = folder / "people.csv"
    file.write_text("email\n" + people(0, 500) + last + "\n")
    return broken_off(opened(file, Given()), gateway, tell, failed)


@pytest.mark.promise("P-IMPORT-07")
@pytest.mark.parametrize(
    ("tell", "failed", "goes_on"),
    [(interrupt, "failed.csv", "goes on where it ended"), (silent, "/dev/full", "keeps failed ones from the first on")],
    ids=["interrupted", "a full disk"],
)
def test_who_is_interrupted_is_told_until_when_the_command_goes_on(tmp_path: Path, tell: Tell, failed: str, goes_on: str) -> None:
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    with serving() as gateway:
        words = ended(tmp_path, gateway, tell, "nobody", tmp_path / failed)
    found = re.search(rf"{goes_on} until (\d{{4}}-\d\d-\d\d \d\d:\d\d[+-]\d\d:\d\d), and imports everything again after that\.$", words)

    assert found is not None, words
    assert before + DAY <= datetime.fromisoformat(found[1]) <= datetime.now(UTC) + DAY


@pytest.mark.promise("P-IMPORT-07")
def test_who_goes_on_is_reminded_that_the_first_run_counts(tmp_path: Path) -> None:
    with serving() as gateway:
        for _ in range(2):
            words = ended(tmp_path, gateway, silent, "nobody", Path("/dev/full"))

    assert words.endswith(f"{AFTER_THE_FIRST}, which was before this one, and imports everything again after that.")


@pytest.mark.promise("P-IMPORT-07")
def test_who_goes_on_and_hears_of_failed_rows_or_of_nothing_is_promised_no_day_from_now_on(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    # What is never sent, a request of failures, and one without.
    file.write_text("email\n" + "too,many\n" * 500 + "nobody\n" * 2_500 + people(0, 2_500))
    with serving() as gateway:
        ends = [
            broken_off(opened(file, Given()), gateway, interrupt_at(rows), tmp_path / "failed.csv") for rows in (5_500, 5_500, 3_000, 500)
        ]

    assert re.search(r"goes on where it ended until \d{4}-", ends[0])
    assert all(f"{AFTER_THE_FIRST}, which was before this one, and" in words for words in ends[1:3])
    assert f"{AFTER_THE_FIRST}, and imports" in ends[3]


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-06", "P-IMPORT-10")
def test_a_file_that_cannot_be_read_to_its_end_is_told_with_how_far_it_came(tmp_path: Path) -> None:
    (file := tmp_path / "people.csv").write_text("email\nnobody\n" + people(0, 6_000))
    table = opened(file, Given())

    def rows() -> Iterator[Row]:
        yield from list(table.rows())[:5_500]
        raise CannotRun("people.csv cannot be read: Input/output error.")

    with serving() as gateway:
        words = broken_off(replace(table, rows=rows), gateway, silent, failed := tmp_path / "failed.csv")
        imports = sum(gateway.imports.values())

    # What fills no request is not sent: it would be another one when the disk is well again.
    assert imports == 4_999
    counted = (
        f"Input/output error. 4,999 rows are imported, 1 failed and are kept in {failed}; the same command goes on where it ended until "
    )
    assert counted in words
    assert "nobody" in failed.read_text()


@pytest.mark.promise("P-IMPORT-13")
def test_a_file_that_grows_while_it_is_imported_is_told_with_how_far_it_came(tmp_path: Path) -> None:
    """None of its requests holds anything that it did not hold when it got their ids."""
    (file := tmp_path / "people.csv").write_text("email\n" + people(0, 60_000))

    def grow(*_: int) -> None:
        with file.open("a") as more:
            more.write("late@x.test\n")

    with serving() as gateway:
        words = broken_off(opened(file, Given()), gateway, grow, tmp_path / "failed.csv")
        imports = sum(gateway.imports.values())

    assert 0 < imports < 60_000
    assert words == (
        f"{file} was changed while it was read: import it when it is complete. "
        f"{imports:,} rows are imported, 0 failed; all of what it holds then is imported, these too."
    )
    assert all(len(got.body["data"]) == 2_500 for got in gateway.got[1:])


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-08")
@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("people.csv", "email,phones,vip,note\n", "so nobody knows what 'vip' and 'note' may hold: texts go as they are"),
        ("people.ndjson", '{"email":"a@x.test"}\n', "so nobody knows what the database's own fields may hold: texts go as they are"),
        ("people.csv", "email,phones\n", None),
    ],
)
def test_a_token_that_may_not_read_is_told_before_anything_is_sent(tmp_path: Path, name: str, content: str, words: str | None) -> None:
    (file := tmp_path / name).write_text(content)
    dry: list[str] = []
    wet: list[str] = []
    with serving() as gateway:
        table, door = opened(file, Given()), Door(gateway.url, TOKEN)
        gateway.moods = [lambda *_: refuse(403, "No access")] * 2
        checked(file, table, door, AIM, silent, dry.append, silent)
        imported(table, door, AIM, Given(), Failures(tmp_path / "failed", table), wet.append, silent)

    assert dry == wet
    assert [words in line for line in wet if words] == [True] * (words is not None)
    assert len(wet) == (words is not None)
