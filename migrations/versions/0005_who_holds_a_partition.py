"""Who holds a partition, and how many ended while they tried its next message alone."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("progress", sa.Column("holder", sa.Text()))
    op.add_column("progress", sa.Column("trying", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("progress", sa.Column("deaths", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    for name in ("deaths", "trying", "holder"):
        op.drop_column("progress", name)
