"""Providers, the messages that leave by them, and launches that are claimed by their trigger: one slow destination is its own trouble."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_PENDING = sa.text("finished_at IS NULL")
_MESSAGE = ("text", "title", "link", "body")


def upgrade() -> None:
    op.create_index("launches_account_trigger_run_at_idx", "launches", ["account", "trigger", "run_at"], postgresql_where=_PENDING)
    op.drop_index("launches_account_run_at_idx", "launches")
    for name in _MESSAGE:
        op.add_column("triggers", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("triggers", sa.Column("provider", sa.ARRAY(sa.Text)))
    op.add_column("triggers", sa.Column("pace", sa.Integer))
    op.add_column("triggers", sa.Column("spread", sa.Integer))
    op.create_table(
        "providers",
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secrets", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("rate", sa.Integer),
        sa.Column("concurrency", sa.Integer, nullable=False),
        sa.Column("timeout", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.UniqueConstraint("account", "name"),
    )
    op.create_table(
        "provider_states",
        sa.Column("provider", sa.Integer, sa.ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("held_since", sa.DateTime(timezone=True)),
        sa.Column("why", sa.Text),
        sa.Column("paused_at", sa.DateTime(timezone=True)),
        sa.Column("gone", sa.Integer, nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "paces",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    for table in ("paces", "provider_states", "providers"):
        op.drop_table(table)
    for name in ("spread", "pace", "provider", *reversed(_MESSAGE)):
        op.drop_column("triggers", name)
    op.create_index("launches_account_run_at_idx", "launches", ["account", "run_at"], postgresql_where=_PENDING)
    op.drop_index("launches_account_trigger_run_at_idx", "launches")
