"""Failed launches are kept with their reasons, and can be run again: a group says which run it belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("run", "began"):
        op.add_column("launches", sa.Column(name, sa.SmallInteger, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "failures",
        sa.Column("batch", sa.LargeBinary, sa.ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("trigger", sa.Integer, sa.ForeignKey("triggers.id"), primary_key=True),
        sa.Column("item", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("profile", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("first_item", sa.Integer, nullable=False),
        sa.Column("run", sa.SmallInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("failures")
    for name in ("began", "run"):
        op.drop_column("launches", name)
