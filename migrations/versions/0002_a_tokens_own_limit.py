"""A token's own limit."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("in_flight", sa.Integer()))


def downgrade() -> None:
    op.drop_column("tokens", "in_flight")
