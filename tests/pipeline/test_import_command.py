"""`profuse import`, as an operator calls it, on a real pipeline."""

import csv
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.processes import PROFUSE
from tests.pipeline.stack import TOKEN, Stack
from tests.pipeline.waiting import eventually

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def profuse_import(pipeline: Stack, tmp_path: Path) -> Command:
    def call(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            line(pipeline, *arguments), env=surroundings() | environment, capture_output=True, text=True, timeout=90, check=False
        )

    return call


def line(pipeline: Stack, *arguments: str | Path) -> list[str]:
    return [str(PROFUSE), "import", *map(str, arguments), "--url", f"http://127.0.0.1:{pipeline.gateway.port}"]


def surroundings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PROFUSE_")} | {"PROFUSE_TOKEN": TOKEN}


def profile_of(pipeline: Stack, email: str) -> dict[str, Any]:
    shown: dict[str, Any] = pipeline.post("profiles/get", db_id=1, email=email).body["data"]
    return shown


def csv_file(folder: Path, *lines: str, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-10")
def test_columns_become_the_fields_that_they_are_mapped_to(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "E-mail;Имя;Note;agrees;settings;number",
        'ann@file.test;Анна;x;yes;"{""a"":1}";7',
        "bob@file.test;Борис;;no;;",
    )
    done = profuse_import(file, "--db", "1", "--map", "E-mail=email", "--map", "Имя=_fname", "--map", "Note=", "--map", "agrees=consent")
    ann, bob = profile_of(pipeline, "ann@file.test"), profile_of(pipeline, "bob@file.test")

    assert (done.returncode, done.stdout) == (0, "2 rows: 2 imported, 0 failed\n"), done.stderr
    assert {name: ann.get(name) for name in ("_fname", "consent", "settings", "number")} == {
        "_fname": "Анна",
        "consent": True,
        "settings": {"a": 1},
        "number": 7,
    }
    assert (bob["consent"], "number" in bob) == (False, False)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.promise("P-IMPORT-05")
def test_columns_may_be_mapped_by_a_file_and_given_to_the_launch(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('"E-mail" = "email"\n"Order" = "custom_data.order"\n')
    done = profuse_import(csv_file(tmp_path, "E-mail,Order", "order@file.test,A-17"), "--trigger", "8", "--map-file", mapping)
    events = [event for event in pipeline.world.events() if event["profile_id"] == profile_of(pipeline, "order@file.test")["_id"]]

    assert done.returncode == 0, done.stderr
    assert events[0]["custom_data"] == {"order": "A-17"}


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-10")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["--db", "1"],
            "The database has no field 'E-mail': say which one it is (--map 'E-mail=email'), or leave it out (--map 'E-mail=').",
        ),
        (["--db", "1", "--map", "Email=email"], "No column is called 'Email': did you mean 'E-mail'?"),
        (["--db", "1", "--map", "E-mail=_fname", "--map", "Name=_fname"], "The columns 'E-mail' and 'Name' are all the field '_fname'"),
        (["--trigger", "8", "--map", "E-mail=email", "--map", "Name=phone"], "The database has no field 'phone'"),
        (["--db", "9"], "refuses: 404 Not found"),
        (["--db", "1", "--trigger", "8"], "name either --trigger or --db"),
        (["--db", "1", "--matching", "custom"], "--field belongs to --matching custom and custom_sub, and each of these needs it"),
        (["--db", "1", "--matching", "custom", "--field", "plan"], "The database has no field 'plan' that is searched by"),
        (["--db", "1", "--failed", "people.csv"], "name another place for them by --failed"),
        (["--db", "1", "--token", "wrong"], "refuses: 401 API token required"),
        (["--db", "1", "--url", "http://127.0.0.1:9"], "http://127.0.0.1:9 does not answer"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(
    pipeline: Stack, profuse_import: Command, tmp_path: Path, arguments: list[str], words: str
) -> None:
    before = pipeline.last_task()
    file = csv_file(tmp_path, "E-mail,Name", "ann@file.test,Ann")
    command = [*line(pipeline, file), *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=surroundings(), capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == (2 if any(each in words for each in ("either", "belongs to")) else 1)
    assert words in done.stderr.splitlines()[-1]
    assert pipeline.last_task() == before


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-06", "P-IMPORT-10")
def test_failed_rows_are_corrected_where_they_are_kept_and_imported_again(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    file = csv_file(
        tmp_path,
        "email,_fname,plan",
        "ok-1@file.test,Ok,free",
        "wrong,Name,free",
        "ok-2@file.test,Ok,gold",
        "ok-3@file.test,Ok",
        'ok-4@file.test,"Ok',
    )
    done = profuse_import(file, "--db", "1")
    failed = tmp_path / "people.failed.csv"
    rows = list(csv.reader(failed.read_text(encoding="utf-8-sig").splitlines()))

    assert (done.returncode, done.stdout) == (
        1,
        f"5 rows: 1 imported, 4 failed; {failed} has them with their errors: correct it and import it\n",
    )
    assert sorted(rows[1:], key=lambda row: int(row[1])) == [
        ["Incorrect email (email)", "3", "wrong", "Name", "free"],
        ["Incorrect option (plan)", "4", "ok-2@file.test", "Ok", "gold"],
        ["2 columns instead of 3", "5", "ok-3@file.test", "Ok"],
        ["a quote is not closed", "6", "ok-4@file.test", "Ok"],
    ]
    assert rows[0] == ["#error", "#line", "email", "_fname", "plan"]
    text = failed.read_text(encoding="utf-8-sig").replace("wrong,", "ok-5@file.test,").replace("gold", "pro")
    failed.write_text(text.replace("ok-3@file.test,Ok", "ok-3@file.test,Ok,pro").replace("ok-4@file.test,Ok", "ok-4@file.test,Ok,"))
    again = profuse_import(failed, "--db", "1")

    assert (again.returncode, again.stdout) == (0, "4 rows: 4 imported, 0 failed\n"), again.stderr
    assert profile_of(pipeline, "ok-2@file.test")["plan"] == "pro"


@pytest.mark.promise("P-IMPORT-06", "P-IMPORT-07", "P-IMPORT-10")
def test_failed_rows_that_found_no_room_are_kept_by_the_same_command(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    file = csv_file(tmp_path, "email", "room@file.test", "nobody")
    full = profuse_import(file, "--db", "1", "--failed", "/dev/full")
    again = profuse_import(file, "--db", "1")

    assert (full.returncode, full.stdout) == (1, "")
    assert "1 rows are imported, 1 failed; the same command goes on and keeps failed ones" in full.stderr.splitlines()[-1]
    assert again.stdout.startswith("2 rows: 1 imported (1 of them by an earlier run of this command), 1 failed")
    assert "Incorrect email (email),3,nobody" in (tmp_path / "people.failed.csv").read_text()


@pytest.mark.promise("P-IMPORT-06")
def test_failed_lines_of_ndjson_are_lines_with_their_error(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    file = csv_file(
        tmp_path, '{"email":"json-1@file.test","plan":"free"}', '{"email":"json-2@file.test","plan":"gold"}', "{", name="p.ndjson"
    )
    done = profuse_import(file, "--trigger", "8")
    failed = tmp_path / "p.failed.ndjson"
    lines = sorted((json.loads(each) for each in failed.read_text().splitlines()), key=lambda each: int(each["#line"]))

    assert done.returncode == 1
    assert lines[0] == {"#error": "Incorrect option (plan)", "#line": 2, "email": "json-2@file.test", "plan": "gold"}
    assert (lines[1]["#line"], lines[1]["#text"]) == (3, "{")
    failed.write_text(json.dumps(lines[0] | {"plan": "pro"}) + "\n")
    assert profuse_import(failed, "--trigger", "8").stdout == "1 rows: 1 imported, 0 failed\n"


@pytest.mark.promise("P-IMPORT-08")
def test_a_dry_run_says_what_the_server_would_say_and_imports_nothing(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    bad = [
        "nobody,Ann,free,",
        "dry-1@file.test,Ann,gold,",
        ",Ann,free,",
        "dry-2@file.test,Ann,free,seven",
        "dry-3@file.test,Ann",
        "dry-4@file.test,A\0n,free,",
        " ,Ann,free,7",
    ]
    file = csv_file(tmp_path, "email,_fname,plan,number", "dry-0@file.test,Ann,free,7", *bad)
    before = pipeline.last_task()
    dry = profuse_import(file, "--db", "1", "--dry-run")
    none = pipeline.last_task()
    wet = profuse_import(file, "--db", "1")
    kept = list(csv.reader((tmp_path / "people.failed.csv").read_text(encoding="utf-8-sig").splitlines()))[1:]

    assert (dry.returncode, none) == (1, before)
    assert dry.stdout.splitlines()[-1] == "8 rows: 7 would fail; nothing was imported"
    assert wet.stdout.startswith("8 rows: 1 imported, 7 failed")
    assert sorted(dry.stdout.splitlines()[:-1]) == sorted(f"{file}:{row[1]}: {row[0]}" for row in kept)


@pytest.mark.promise("P-IMPORT-07")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_an_interrupted_import_goes_on_where_it_ended(
    pipeline: Stack, profuse_import: Command, tmp_path: Path, number: signal.Signals
) -> None:
    # More than is under way at once.
    name, count = f"stopped-{number}", 60_000
    file = tmp_path / "people.ndjson"
    once = {"action": "incr", "value": 1}
    file.write_text("".join(json.dumps({"email": f"{name}-{each}@file.test", "number": once}) + "\n" for each in range(count)))

    def stored(times: int = 1) -> int:
        counted = "SELECT count(*) FROM profiles WHERE data->>'email' LIKE $1 AND (data->>'number')::int >= $2"
        return int(pipeline.world.value(counted, f"{name}-%", times))

    accepted = pipeline.world.value("SELECT count(*) FROM batches")
    # However fast the machine is, nothing is imported before the signal, so that it comes in the middle.
    with pipeline.world.locked("profiles"):
        # As at a terminal: who runs tests in the background of a shell has them ignore Ctrl-C, and their children with them.
        interruptible = ["env", "--default-signal=INT", *line(pipeline, file, "--db", "1")]
        running = subprocess.Popen(interruptible, env=surroundings(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eventually(lambda: pipeline.world.value("SELECT count(*) FROM batches") > accepted, 60, lambda: "something is under way")
        running.send_signal(number)
    _, said = running.communicate(timeout=30)
    assert stored() < count
    again = profuse_import(file, "--db", "1")

    assert running.returncode == (1 if number is signal.SIGINT else -number)
    assert number is signal.SIGKILL or "the same command goes on where it ended until " in said.splitlines()[-1]
    assert again.stdout.startswith("60,000 rows: 60,000 imported (")
    assert "of them by an earlier run of this command)" in again.stdout
    assert (stored(), stored(2)) == (count, 0)


@pytest.mark.promise("P-IMPORT-07")
def test_a_file_is_imported_once_more_under_another_name_of_the_run(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    file = csv_file(tmp_path, '{"email":"twice@file.test","number":{"action":"incr","value":1}}', name="twice.ndjson")
    said = [profuse_import(file, "--db", "1", *run).stdout for run in ((), (), ("--run", "tuesday"))]

    assert ["earlier run" in each for each in said] == [False, True, False]
    assert profile_of(pipeline, "twice@file.test")["number"] == 2


@pytest.mark.promise("P-IMPORT-01", "P-IMPORT-06", "P-IMPORT-07")
def test_what_comes_through_a_pipe_is_imported_and_goes_on_as_a_file_does(pipeline: Stack, tmp_path: Path) -> None:
    said = [
        subprocess.run(
            line(pipeline, "/dev/stdin", "--format", "csv", "--db", "1"),
            input="email,_fname\npipe-1@file.test,Ann\nnobody,Bob\n",
            cwd=tmp_path,
            env=surroundings(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ).stdout
        for _ in range(2)
    ]

    assert [each.partition(";")[0] for each in said] == [
        "2 rows: 1 imported, 1 failed",
        "2 rows: 1 imported (1 of them by an earlier run of this command), 1 failed",
    ]
    assert profile_of(pipeline, "pipe-1@file.test")["_fname"] == "Ann"
    assert "Incorrect email (email),3,nobody" in next(tmp_path.glob("stdin-*.failed.csv")).read_text()


@pytest.mark.promise("P-IMPORT-03", "P-IMPORT-08")
def test_half_a_letter_fails_its_row_in_the_words_of_the_server(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    text = "email,_fname\nhalf-1@file.test,Ann\nhalf-2@file.test,Bob \ud83d\n\ud83d@file.test,Cid\nhalf-3@file.test,Dan\n"
    (file := tmp_path / "people.csv").write_bytes(b"\xff\xfe" + text.encode("utf-16-le", "surrogatepass") + b"x")
    dry, wet = profuse_import(file, "--db", "1", "--dry-run"), profuse_import(file, "--db", "1")
    kept = list(csv.reader((tmp_path / "people.failed.csv").read_text(encoding="utf-8-sig").splitlines()))[1:]

    assert wet.stdout.startswith("5 rows: 2 imported, 3 failed"), wet.stderr
    assert sorted(row[:2] for row in kept) == [
        ["1 columns instead of 2", "6"],
        ["Text cannot be stored (_fname)", "3"],
        ["Text cannot be stored (email)", "4"],
    ]
    assert sorted(dry.stdout.splitlines()[:-1]) == sorted(f"{file}:{row[1]}: {row[0]}" for row in kept)


@pytest.mark.promise("P-IMPORT-05", "P-IMPORT-08")
def test_a_token_that_may_not_read_imports_cells_of_what_every_database_has(
    pipeline: Stack, profuse_import: Command, tmp_path: Path
) -> None:
    file = csv_file(tmp_path, "email,phones,consent", 'blind-1@file.test,"[""+79000000041""]",')
    command = file, "--db", "1", "--token", "importer-token"
    dry, wet = profuse_import(*command, "--dry-run"), profuse_import(*command)

    assert (dry.stdout, wet.stdout) == ("1 rows: 0 would fail; nothing was imported\n", "1 rows: 1 imported, 0 failed\n")
    assert profile_of(pipeline, "blind-1@file.test")["phones"] == ["+79000000041"]
    assert dry.stderr == wet.stderr
    assert "so nobody knows what 'consent' may hold: texts go as they are, also yes, no and JSON." in wet.stderr


@pytest.mark.promise("P-IMPORT-05")
def test_a_token_that_may_not_read_imports_without_a_look_at_the_fields(pipeline: Stack, profuse_import: Command, tmp_path: Path) -> None:
    file = csv_file(tmp_path, "email,nonsense", "blind@file.test,x")
    done = profuse_import(file, "--db", "1", "--token", "importer-token")

    assert done.stdout.startswith("1 rows: 0 imported, 1 failed")
    assert "Unknown field (nonsense)" in (tmp_path / "people.failed.csv").read_text()
