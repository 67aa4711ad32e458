"""Launches have attempts, and their accounts take turns; what a client says is kept as it was written."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Rewritten: they hold what was accepted in a day, or waits.
_SAID = (("batches", "content"), ("batches", "custom_data"), ("results", "custom_data"))


def upgrade() -> None:
    op.drop_index("results_custom_data_idx", "results")
    for table, column in _SAID:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE json USING {column}::json")
    op.create_index("results_custom_data_idx", "results", ["batch", "chunk"], postgresql_where=sa.text("custom_data::text <> '{}'"))
    op.add_column("batches", sa.Column("hastened_at", sa.DateTime(timezone=True)))
    # Empty in groups that are there already, and in those of older launchers: newer ones fill it in, the earliest due first.
    op.add_column("launches", sa.Column("account", sa.Integer()))
    op.add_column("launches", sa.Column("claims", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("launches", sa.Column("doubts", sa.SmallInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("launches", sa.Column("held_since", sa.DateTime(timezone=True)))
    op.add_column("launches", sa.Column("doomed", sa.Text()))
    op.create_index("launches_account_run_at_idx", "launches", ["account", "run_at"], postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_index("launches_run_at_idx", "launches")


def downgrade() -> None:
    op.create_index("launches_run_at_idx", "launches", ["run_at"], postgresql_where=sa.text("finished_at IS NULL"))
    op.drop_index("launches_account_run_at_idx", "launches")
    for column in ("doomed", "held_since", "doubts", "claims", "account"):
        op.drop_column("launches", column)
    op.drop_column("batches", "hastened_at")
    op.drop_index("results_custom_data_idx", "results")
    for table, column in _SAID:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE jsonb USING {column}::jsonb")
    op.create_index("results_custom_data_idx", "results", ["batch", "chunk"], postgresql_where=sa.text("custom_data <> '{}'"))
