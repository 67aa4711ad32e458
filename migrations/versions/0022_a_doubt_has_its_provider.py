"""A launch that may have passed goes by no other provider."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No row is written: of a doubt that is there already nobody knows whose it is.
    op.add_column("launches", sa.Column("doubted", sa.Text()))


def downgrade() -> None:
    op.drop_column("launches", "doubted")
