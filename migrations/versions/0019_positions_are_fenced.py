"""Positions that an operator has moved, so that a worker who was frozen meanwhile moves nothing back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("progress", sa.Column("fence", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    op.drop_column("progress", "fence")
