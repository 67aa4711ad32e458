"""Columns of ids and digests are stored as they are: Postgres' own compression takes a tenth of its time, and saves nothing."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_COLUMNS = ("results", "profiles"), ("progress", "outbox")


def upgrade() -> None:
    _store("EXTERNAL")


def downgrade() -> None:
    _store("EXTENDED")


def _store(how: str) -> None:
    # What is stored already stays as it is, and is read as before.
    for table, column in _COLUMNS:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE {how}")
