"""When retention looks at a batch next, whose dead letters are, and what is being erased."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("profile", name="erasures_pkey"),
    )
    op.create_index("results_custom_data_idx", "results", ["batch", "chunk"], postgresql_where=sa.text("custom_data <> '{}'"))
    op.add_column("dead_letters", sa.Column("account", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("UPDATE dead_letters SET account = batches.account FROM batches WHERE batches.id = dead_letters.batch")
    op.create_index("dead_letters_account_created_at_idx", "dead_letters", ["account", "created_at"])
    op.create_index("dead_letters_created_at_idx", "dead_letters", ["created_at"])
    # Last, because nobody gets at batches from here to the commit. All that are there are looked at once, and put off.
    op.add_column("batches", sa.Column("look_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False))
    op.create_index("batches_look_at_idx", "batches", ["look_at"])


def downgrade() -> None:
    op.drop_column("batches", "look_at")
    op.drop_index("dead_letters_created_at_idx", "dead_letters")
    op.drop_index("dead_letters_account_created_at_idx", "dead_letters")
    op.drop_column("dead_letters", "account")
    op.drop_index("results_custom_data_idx", "results")
    op.drop_table("erasures")
