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
from profuse.importing.mapping import Mapped, mapped, untold
from profuse.importing.opening import Given
from profuse.importing.running import Import, Tally, Tell
from profuse.importing.source import Changed
from profuse.importing.table import Row, Table
from profuse_client import Client, GivenUp, Refused
from runtime.errors import CannotRun
from schemas.settings import Settings

Say = Callable[[str], None]

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

    def __init__(self, file: Path, say: Say) -> None:
        self._file, self._say = file, say
        self._count = 0

    def add(self, row: Row, reason: str) -> None:
        self._count += 1
        if self._count <= _SHOWN:
            self._say(f"{self._file}:{row.line}: {reason}")
        elif self._count == _SHOWN + 1:
            self._say("…")


def checked(file: Path, table: Table, door: Door, aim: Aim, say: Say, warn: Say, tell: Tell) -> Tally:
    """A dry run; raises `CannotRun` where the import itself would."""
    aim, fields = found(door.url, door.token, aim)
    run = Import(table, _mapped(table, aim, fields, warn), Shown(file, say), tell)
    return run.check(checker(fields, aim.matching, aim.field_name, bare=aim.trigger is None))


def imported(table: Table, door: Door, aim: Aim, given: Given, failures: Failures, warn: Say, tell: Tell) -> Tally:
    """Raises `CannotRun`, after which the same command goes on."""
    aim, fields = found(door.url, door.token, aim)
    run = Import(table, _mapped(table, aim, fields, warn), failures, tell)
    # Each request is remembered from when it came; the first is forgotten first.
    began = datetime.now(UTC)
    try:
        with Client(door.url, door.token, SENDING) as client, failures:
            return run.send(client, aim, aim.run_id(table, given))
    except (Refused, GivenUp, CannotRun, KeyboardInterrupt) as end:
        raise CannotRun(_broken_off(end, door, run.tally, failures, began)) from None


def _broken_off(end: BaseException, door: Door, tally: Tally, failures: Failures, began: datetime) -> str:
    goes_on = _goes_on("where it ended", began, tally)
    counted = f"{tally.imported:,} rows are imported, {tally.failed:,} failed"
    kept = f" and are kept in {failures.file}" if tally.failed else ""
    match end:
        case Refused():
            return f"{door.url} refuses after {tally.rows:,} rows: {end}"
        case GivenUp():
            return f"{end}. After {tally.rows:,} rows: {goes_on}"
        case NotKept():
            # Under the ids of its requests the server gives the same results again, failures too.
            return f"{end}. {counted}; {_goes_on('and keeps failed ones from the first on', began, tally)}"
        case Changed():
            # Ids come from what a file holds.
            return f"{end} {counted}{kept}; all of what it holds then is imported, these too."
        case CannotRun():
            return f"{end} {counted}{kept}; {goes_on}"
    return f"Interrupted after {tally.rows:,} rows: {goes_on}"


def _goes_on(how: str, began: datetime, tally: Tally) -> str:
    """Until when a repeat finds what is done; nobody here knows when a run began that this one goes on with."""
    if tally.imported and not tally.is_repeat:
        moment = (began + _KEPT).astimezone().isoformat(sep=" ", timespec="minutes")
    else:
        # What fails may not have been sent, and then says nothing of an earlier run.
        before = ", which was before this one" if tally.is_repeat else ""
        moment = f"{_KEPT // timedelta(hours=1)} hours after its first run began{before}"
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


def _mapped(table: Table, aim: Aim, fields: Sequence[Mapping[str, Any]], warn: Say) -> Mapped:
    searchable = [field["name"] for field in fields if field["match"]]
    if aim.field_name and fields and aim.field_name not in searchable:
        raise CannotRun(f"The database has no field {aim.field_name!r} that is searched by; these are: {', '.join(searchable) or 'none'}.")
    types = {str(field["name"]): str(field["type"]) for field in fields}
    made = mapped(table.columns, aim.columns, types, beside=aim.beside)
    if not types and (names := untold(table.columns, made)):
        warn(f"The token lacks the right `read`, so nobody knows what {names} may hold: texts go as they are, also yes, no and JSON.")
    return made
