"""How a token is answered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tokens", sa.Column("http_status", sa.Text()))


def downgrade() -> None:
    op.drop_column("tokens", "http_status")
