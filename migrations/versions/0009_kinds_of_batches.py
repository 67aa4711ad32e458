"""A batch says what is asked for its items; of one that starts no campaign of its own, results say whether launchers have told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("kind", sa.Text(), nullable=False, server_default="import_and_start"))
    op.alter_column("batches", "trigger", nullable=True)
    op.create_check_constraint("batches_kind_check", "batches", "(kind = 'import') = (trigger IS NULL)")
    op.add_column("results", sa.Column("told", sa.Boolean(), nullable=False, server_default="false"))


def downgrade() -> None:
    op.drop_column("results", "told")
    op.drop_constraint("batches_kind_check", "batches")
    op.execute("DELETE FROM batches WHERE trigger IS NULL")
    op.alter_column("batches", "trigger", nullable=False)
    op.drop_column("batches", "kind")
