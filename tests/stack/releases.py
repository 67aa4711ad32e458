"""This release, and the next one as it may be: with a migration more, and messages of a newer version."""

import re
import shutil
from pathlib import Path

from runtime.schema import REVISION

ROOT = Path(__file__).parents[2]
NEXT_REVISION = f"{int(REVISION) + 1:04}"
_PACKAGES = ("ingest", "migrations", "profuse", "runtime", "schemas", "store", "workers")

_MIGRATION = f'''"""What the next release adds."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT_REVISION}"
down_revision = "{REVISION}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("added_by_the_next_release", sa.Text(), server_default="anything", nullable=False))
    op.create_table("of_the_next_release", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.drop_table("of_the_next_release")
    op.drop_column("batches", "added_by_the_next_release")
'''
# The head of a message, with its own version if it has one.
_HEAD = re.compile(
    r'(class (?:ProfileImport|ProfilesMatched|DeadLetter)\(Message.*\n    """.*"""\n)'
    r"(?:\n    VERSION: ClassVar\[int\] = \d+\n\n    v: int = \d+\n)?"
)
VERSION = 9
"""Of the next release's messages, which have a field more."""


def this_one(directory: Path) -> Path:
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "client" / "profuse_client", directory / "profuse_client", ignore=shutil.ignore_patterns("__pycache__"))
    return directory


def next_one(directory: Path) -> Path:
    """It reads messages of before, writes its own, and needs its migration."""
    this_one(directory)
    (directory / "migrations" / "versions" / f"{NEXT_REVISION}_the_next_release.py").write_text(_MIGRATION)
    own = f"\\1\n    VERSION: ClassVar[int] = {VERSION}\n\n    v: int = {VERSION}\n    added: str | None = 'by the next release'\n"
    _change(directory / "schemas" / "messages.py", _HEAD, own, 3)
    return directory


def _change(file: Path, what: re.Pattern[str], to: str, times: int) -> None:
    changed, found = what.subn(to, file.read_text())
    assert found == times, (file, found)
    file.write_text(changed)


def install(release: Path, link: Path) -> None:
    """From now on a process that starts is of this release."""
    new = link.with_suffix(".new")
    new.symlink_to(release, target_is_directory=True)
    new.replace(link)
