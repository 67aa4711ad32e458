"""What is held of a file while it is read, sent and answered."""

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from profuse.importing.aim import Aim
from profuse.importing.failures import Failures
from profuse.importing.mapping import mapped
from profuse.importing.opening import Given, opened
from profuse.importing.running import Import
from profuse_client import Client, Limits, Options
from tests.client_library.server import TOKEN, serving

# The tests' server keeps what it got; the client's own part is bounded by requests, so these are small.
SMALL = Options(limits=Limits(profiles=100))


def peak(work: Callable[[], object]) -> int:
    # What other tests left in cycles would count when it is freed at another moment.
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def people(file: Path, count: int, line: str, first: str = "") -> Path:
    file.write_text("email,_fname\n" + first + "".join(line.format(number=number) for number in range(count)))
    return file


@pytest.mark.promise("P-IMPORT-04")
@pytest.mark.parametrize("first", ["", 'p@x.test,"Name\n'], ids=["good", "a quote that is never closed"])
def test_reading_ten_times_as_many_rows_takes_no_more(tmp_path: Path, first: str) -> None:
    def read(count: int) -> int:
        file = people(tmp_path / f"{count}.csv", count, "p{number}@x.test," + "x" * 100 + "\n", first)
        return peak(lambda: sum(1 for _ in opened(file, Given()).rows()))

    read(100)

    # Both are files of more than what is read ahead.
    assert read(200_000) < read(20_000) + 1_000_000


@pytest.mark.promise("P-IMPORT-04", "P-CLIENT-03")
def test_rows_are_let_go_when_they_are_answered(tmp_path: Path) -> None:
    table = opened(people(tmp_path / "p.csv", 5_000, "p{number}@x.test,Name\n"), Given())
    held: list[int] = []
    run = Import(
        table,
        mapped(table.columns, {}, {}, beside=frozenset()),
        Failures(tmp_path / "f.csv", table),
        lambda *_: held.append(len(run._sent)),
    )
    with serving() as gateway, Client(gateway.url, TOKEN, SMALL) as client:
        tally = run.send(client, Aim(8, 1, "email", None, {}, ""), "memory")

    assert tally.imported == 5_000
    # Eight requests, and the one that is being filled.
    assert max(held) <= 900
