"""A Request-ID may stand for a request that brings no batch: its answer is kept with it."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE requests ALTER COLUMN batch DROP NOT NULL")
    op.execute("ALTER TABLE requests ADD COLUMN answer text")


def downgrade() -> None:
    # What the tables of before have no place for.
    op.execute("DELETE FROM requests WHERE batch IS NULL")
    op.execute("ALTER TABLE requests DROP COLUMN answer")
    op.execute("ALTER TABLE requests ALTER COLUMN batch SET NOT NULL")
