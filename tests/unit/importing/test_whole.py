"""What is told of an import that did not come to its end."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from profuse.importing.aim import Aim
from profuse.importing.failures import Failures
from profuse.importing.opening import Given, opened
from profuse.importing.running import Tell
from profuse.importing.whole import Door, imported
from runtime.errors import CannotRun
from tests.client_library.server import TOKEN, Gateway, refuse, serving

DAY = timedelta(hours=24)


def interrupt(*_: int) -> None:
    raise KeyboardInterrupt


def ended(folder: Path, gateway: Gateway, tell: Tell, last: str, failed: Path) -> str:
    """What an import of 500 rows and one more ends with."""
    file = folder / "people.csv"
    file.write_text("email\n" + "".join(f"p{number}@x.test\n" for number in range(500)) + last + "\n")
    table = opened(file, Given())
    # The question for the fields of the database, which nobody here knows.
    gateway.moods = [lambda *_: refuse(403, "No access")]
    with pytest.raises(CannotRun) as told:
        imported(table, Door(gateway.url, TOKEN), Aim(None, 1, "email", None, {}, ""), Given(), Failures(failed, table), tell)
    return str(told.value)


@pytest.mark.promise("P-IMPORT-07")
@pytest.mark.parametrize(
    ("tell", "failed", "goes_on"),
    [(interrupt, "failed.csv", "goes on where it ended"), (lambda *_: None, "/dev/full", "keeps failed ones from the first on")],
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
            words = ended(tmp_path, gateway, lambda *_: None, "nobody", Path("/dev/full"))

    assert words.endswith("until 24 hours after its first run began, which was before this one, and imports everything again after that.")
