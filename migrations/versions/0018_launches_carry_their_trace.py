"""Launches carry the trace of their request until they are due."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No row is written: a launch whose request is not traced has none.
    op.add_column("launches", sa.Column("traceparent", sa.Text()))


def downgrade() -> None:
    op.drop_column("launches", "traceparent")
