"""Where rows come from: files and pipes, and nothing else."""

import gc
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from profuse.importing.failures import place
from profuse.importing.opening import Given, opened
from profuse.importing.source import Changed, Source
from runtime.errors import CannotRun
from tests.unit.importing.test_tables import sheet

MIB = 1024 * 1024


def people(folder: Path, kind: str) -> Path:
    file = folder / f"people.{kind}"
    match kind:
        case "csv":
            # More than a pipe holds.
            file.write_text("email\n" + "ann@x.test\n" * 20_000)
        case "ndjson":
            file.write_text('{"email":"ann@x.test"}\n' * 20_000)
        case "parquet":
            parquet.write_table(pa.table({"email": ["ann@x.test"] * 20_000}), file)
        case "xlsx":
            row: list[str | float | bool] = ["ann@x.test"]
            sheet(file, ["email"], *[row] * 2_000)
    return file


@contextmanager
def piped(file: Path) -> Iterator[Path]:
    """What a shell makes of `<(cat file)`."""
    reading, writing = os.pipe()

    def pour() -> None:
        # Whoever reads no more has failed already.
        with suppress(BrokenPipeError), os.fdopen(writing, "wb") as pipe:
            pipe.write(file.read_bytes())

    pouring = threading.Thread(target=pour)
    pouring.start()
    try:
        yield Path(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        pouring.join()


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-09")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet", "xlsx"])
def test_a_pipe_is_read_as_a_file_is(tmp_path: Path, kind: str) -> None:
    file = people(tmp_path, kind)
    with piped(file) as pipe:
        table = opened(pipe, Given(kind))
    expected = opened(file, Given())

    assert list(table.rows()) == list(table.rows()) == list(expected.rows())
    # The same command, so to speak: it goes on where the other has ended.
    assert (table.digest, table.total) == (expected.digest, expected.total)


@pytest.mark.promise("P-IMPORT-01")
def test_a_pipe_with_a_name_says_by_it_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "people.csv")
    writing = threading.Thread(target=pipe.write_text, args=("email\nann@x.test\n",), daemon=True)
    writing.start()
    table = opened(pipe, Given())
    writing.join()

    assert [row.values for row in table.rows()] == [{"email": "ann@x.test"}]


@pytest.mark.promise("P-IMPORT-01")
def test_nothing_is_left_of_what_came_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(spools := tmp_path / "spools"))
    spools.mkdir()
    with piped(people(tmp_path, "csv")) as pipe:
        source = Source(pipe)
    kept = source.path
    was_there = kept.stat().st_size > MIB // 8
    del source
    gc.collect()

    # While it is there it has no name that could stay behind if the import is killed.
    assert (was_there, kept.exists(), list(spools.iterdir())) == (True, False, [])


@pytest.mark.promise("P-IMPORT-02", "P-DOOR-13")
def test_a_pipe_that_does_not_fit_on_the_disk_is_told_in_a_line(tmp_path: Path) -> None:
    # What a full disk is to a process.
    script = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({MIB}, {MIB})); sys.argv = ['profuse', 'import', '/dev/stdin', "
        "'--format', 'csv', '--db', '1', '--token', 'x', '--url', 'http://127.0.0.1:9']; import profuse.__main__; profuse.__main__.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=b"email\n" + b"ann@x.test\n" * MIB,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == (
        f"profuse: /dev/stdin does not fit into {tmp_path}: File too large; make room, or name another place by TMPDIR.\n"
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@pytest.mark.promise("P-IMPORT-02", "P-DOOR-13")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet", "xlsx"])
def test_what_is_neither_a_file_nor_a_pipe_is_refused_in_a_line(tmp_path: Path, kind: str) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for file in (Path("/dev/zero"), Path("/dev/null"), tmp_path / "socket"):
            with pytest.raises(CannotRun, match=f"^{file} is neither a file nor a pipe.$"):
                opened(file, Given(kind))


@pytest.mark.promise("P-IMPORT-06")
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/dev/stdin", "stdin-{digest}.failed.csv"),
        ("/dev/fd/63", "63-{digest}.failed.csv"),
        ("/proc/self/fd/0", "0-{digest}.failed.csv"),
        ("/dev/shm/people.csv", "/dev/shm/people.failed.csv"),  # noqa: S108
        ("people.csv", "people.failed.csv"),
    ],
)
def test_failed_rows_of_what_came_through_a_pipe_are_kept_in_the_current_directory_by_what_came(
    tmp_path: Path, file: str, expected: str
) -> None:
    (tmp_path / "t.csv").write_text("email\n")
    table = opened(tmp_path / "t.csv", Given())

    assert place(Path(file), table, None) == Path(expected.format(digest=table.digest[:8]))


def grow(file: Path) -> None:
    with file.open("ab") as more:
        more.write(b"eve@x.test\n")


def rewrite(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"ann", b"eve"))


def cut_off(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def replace(file: Path) -> None:
    old = file.stat()
    (new := file.with_name("new")).write_bytes(file.read_bytes().replace(b"ann", b"eve"))
    os.utime(new, ns=(old.st_atime_ns, old.st_mtime_ns))
    new.replace(file)


@pytest.mark.promise("P-IMPORT-13")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("change", [grow, rewrite, cut_off, replace])
def test_a_file_that_has_changed_since_it_was_looked_at_is_not_read(tmp_path: Path, kind: str, change: Callable[[Path], None]) -> None:
    table = opened(file := people(tmp_path, kind), Given())
    change(file)

    with pytest.raises(Changed, match="was changed while it was read: import it when it is complete"):
        next(table.rows())


@pytest.mark.promise("P-IMPORT-13")
@pytest.mark.parametrize("kind", ["csv", "ndjson"])
@pytest.mark.parametrize("change", [grow, rewrite, cut_off])
def test_what_is_written_into_a_file_while_it_is_read_is_never_given_out(tmp_path: Path, kind: str, change: Callable[[Path], None]) -> None:
    file = people(tmp_path, kind)
    rows, given = opened(file, Given()).rows(), []
    given.append(next(rows))
    change(file)

    with pytest.raises(Changed):
        given.extend(rows)
    assert {str(row.values) for row in given} == {"{'email': 'ann@x.test'}"}


@pytest.mark.promise("P-IMPORT-13")
@pytest.mark.parametrize("kind", ["parquet", "xlsx"])
@pytest.mark.parametrize("change", [grow, rewrite, cut_off])
def test_what_is_written_into_a_file_that_was_read_in_one_go_is_told_at_its_end(
    tmp_path: Path, kind: str, change: Callable[[Path], None]
) -> None:
    rows = opened(file := people(tmp_path, kind), Given()).rows()
    next(rows)
    change(file)

    with pytest.raises(Changed):
        list(rows)


@pytest.mark.promise("P-IMPORT-13")
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet", "xlsx"])
def test_a_file_that_changes_while_it_is_looked_at_is_refused(tmp_path: Path, kind: str) -> None:
    source = Source(file := people(tmp_path, kind))
    grow(file)

    for read in (BufferedReader.read, BufferedReader.read1):
        with pytest.raises(Changed), source.opened() as stream:
            read(stream)
    with pytest.raises(Changed):
        source.digest()
