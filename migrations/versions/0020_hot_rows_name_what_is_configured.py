"""Rows that come and go all day are not tied to what is configured, and have room to be updated where they are."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Table, column, and whose row each insert would lock: the same few for everybody. Nothing of these is ever deleted.
_TIES = (
    ("batches", "account", "accounts"),
    ("batches", "database", "databases"),
    ("batches", "trigger", "triggers"),
    ("batches", "resource", "resources"),
    ("requests", "token", "tokens"),
    ("launches", "trigger", "triggers"),
)
# Their rows are updated once or more, and mostly in no column that is indexed.
_UPDATED = "batches", "batch_progress", "launches"


def upgrade() -> None:
    for table, column, _ in _TIES:
        op.drop_constraint(f"{table}_{column}_fkey", table, type_="foreignkey")
    for table in _UPDATED:
        # What is stored already stays as full as it is.
        op.execute(f"ALTER TABLE {table} SET (fillfactor = 70)")


def downgrade() -> None:
    for table in _UPDATED:
        op.execute(f"ALTER TABLE {table} RESET (fillfactor)")
    for table, column, of in _TIES:
        op.create_foreign_key(f"{table}_{column}_fkey", table, of, [column], ["id"])
