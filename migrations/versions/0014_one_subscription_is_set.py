"""A batch may set one subscription of a profile, and starts no campaign of its own then."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _check("kind IN ('import', 'set')")


def downgrade() -> None:
    # What the tables of before have no word for.
    op.execute("DELETE FROM batches WHERE kind = 'set'")
    _check("kind = 'import'")


def _check(without_trigger: str) -> None:
    op.execute("ALTER TABLE batches DROP CONSTRAINT batches_kind_check")
    # Those that are there are looked at without keeping anybody from writing.
    op.execute(f"ALTER TABLE batches ADD CONSTRAINT batches_kind_check CHECK (({without_trigger}) = (trigger IS NULL)) NOT VALID")
    op.execute("ALTER TABLE batches VALIDATE CONSTRAINT batches_kind_check")
