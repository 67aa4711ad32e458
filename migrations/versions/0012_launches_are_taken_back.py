"""Launches can be taken back: a row says which, and launchers read it before they begin one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launches", sa.Column("cancelled", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "cancels",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("batch", sa.LargeBinary, sa.ForeignKey("batches.id", ondelete="CASCADE")),
        sa.Column("trigger", sa.Integer, sa.ForeignKey("triggers.id")),
        sa.Column("profile", sa.LargeBinary),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint("num_nonnulls(batch, trigger, profile) = 1", name="cancels_of_one_check"),
    )
    for name in ("batch", "trigger", "profile"):
        op.create_index(f"cancels_{name}_idx", "cancels", [name], postgresql_where=sa.text(f"{name} IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("cancels")
    op.drop_column("launches", "cancelled")
