"""A whole import: from a file and what is wanted of it to the words that it ends with."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from profuse.importing.aim import SENDING, Aim, found
from profuse.importing.checking import checker
from profuse.importing.failures import Failures, NotKept
from profuse.importing.mapping import Mapped, mapped
from profuse.importing.opening import Given
from profuse.importing.running import Import, Tally, Tell
from profuse.importing.table import Row, Table
from profuse_client import Client, GivenUp, Refused
from runtime.errors import CannotRun
from schemas.settings import Settings

# As many are shown of a dry run; one who mends these has mended most.
_SHOWN = 20
# As long as a server remembers requests, unless it is set otherwise.
_KEPT: timedelta = Settings.model_fields["request_id_kept"].default


@dataclass(frozen=True)
class Door:
    """The server, and who knocks."""

    url: str
    token: str


class Shown:
    """The first failures of a dry run, as lines."""

    def __init__(self, file: Path, say: Callable[[str], None]) -> None:
        self._file, self._say = file, say
        self._count = 0

    def add(self, row: Row, reason: str) -> None:
        self._count += 1
        if self._count <= _SHOWN:
            self._say(f"{self._file}:{row.line}: {reason}")
        elif self._count == _SHOWN + 1:
            self._say("…")


def checked(file: Path, table: Table, door: Door, aim: Aim, say: Callable[[str], None], tell: Tell) -> Tally:
    """A dry run; raises `CannotRun` where the import itself would."""
    aim, fields = found(door.url, door.token, aim)
    run = Import(table, _mapped(table, aim, fields), Shown(file, say), tell)
    return run.check(checker(fields, aim.matching, aim.field_name, bare=aim.trigger is None))


def imported(table: Table, door: Door, aim: Aim, given: Given, failures: Failures, tell: Tell) -> Tally:
    """Raises `CannotRun`, after which the same command goes on."""
    aim, fields = found(door.url, door.token, aim)
    run = Import(table, _mapped(table, aim, fields), failures, tell)
    # Each request is remembered from when it came; the first is forgotten first.
    began = datetime.now(UTC)
    try:
        with Client(door.url, door.token, SENDING) as client, failures:
            return run.send(client, aim, aim.run_id(table, given))
    except Refused as refused:
        raise CannotRun(f"{door.url} refuses after {run.tally.rows:,} rows: {refused}") from None
    except GivenUp as away:
        raise CannotRun(f"{away}. After {run.tally.rows:,} rows: {_goes_on('where it ended', began, run.tally)}") from None
    except NotKept as full:
        # Under the ids of its requests the server gives the same results again, failures too.
        counted = f"{run.tally.imported:,} rows are imported, {run.tally.failed:,} failed"
        goes_on = _goes_on("and keeps failed ones from the first on", began, run.tally)
        raise CannotRun(f"{full}. {counted}; {goes_on}") from None
    except KeyboardInterrupt:
        raise CannotRun(f"Interrupted after {run.tally.rows:,} rows: {_goes_on('where it ended', began, run.tally)}") from None


def _goes_on(how: str, began: datetime, tally: Tally) -> str:
    """Until when a repeat finds what is done; nobody here knows when a run began that this one goes on with."""
    if tally.before:
        moment = f"{_KEPT // timedelta(hours=1)} hours after its first run began, which was before this one"
    else:
        moment = (began + _KEPT).astimezone().isoformat(sep=" ", timespec="minutes")
    return f"the same command goes on {how} until {moment}, and imports everything again after that."


def columns_of(file: Path) -> dict[str, str]:
    """A TOML file that says of columns which fields they are."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise CannotRun(f"{file} cannot be read: {error}") from None
    wrong = next((name for name, field in told.items() if not isinstance(field, str)), None)
    if wrong is not None:
        raise CannotRun(f'{file}: {wrong} must be the name of a field, as in "E-mail" = "email"')
    return {name: str(field) for name, field in told.items()}


def ended(tally: Tally, failures: Failures | None) -> str:
    """What is told at the end; without failures it was a dry run."""
    if failures is None:
        return f"{tally.rows:,} rows: {tally.failed:,} would fail; nothing was imported"
    before = f" ({tally.before:,} of them by an earlier run of this command)" if tally.before else ""
    told = f"{tally.rows:,} rows: {tally.imported:,} imported{before}, {tally.failed:,} failed"
    return told + (f"; {failures.file} has them with their errors: correct it and import it" if tally.failed else "")


def _mapped(table: Table, aim: Aim, fields: Sequence[Mapping[str, Any]]) -> Mapped:
    searchable = [field["name"] for field in fields if field["match"]]
    if aim.field_name and fields and aim.field_name not in searchable:
        raise CannotRun(f"The database has no field {aim.field_name!r} that is searched by; these are: {', '.join(searchable) or 'none'}.")
    types = {str(field["name"]): str(field["type"]) for field in fields}
    return mapped(table.columns, aim.columns, types, beside=aim.beside)
