"""Tags are found in the index of all that profiles are found by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Profiles that are there already are filed by their tags page by page, after this; until then nobody is matched by them.
    op.execute("""
        INSERT INTO refilings (database, fields)
        SELECT id, tagging.names
        FROM databases, LATERAL (
            SELECT array_agg(key) AS names FROM jsonb_each(fields) WHERE value -> 'match' = 'true' AND value ->> 'type' = 'tags'
        ) AS tagging
        WHERE tagging.names IS NOT NULL AND EXISTS (SELECT FROM profiles WHERE profiles.database = databases.id)
        ON CONFLICT (database) DO UPDATE SET
            fields = refilings.fields || EXCLUDED.fields, turn = refilings.turn + 1, waited = false, filed = ''
    """)
    # A matcher of the release before stops at this, and files nothing that a newer one would not find.
    op.drop_table("profile_tags")


def downgrade() -> None:
    op.create_table(
        "profile_tags",
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("profile", name="profile_tags_pkey"),
    )
    op.create_index("profile_tags_tags_idx", "profile_tags", ["tags"], postgresql_using="gin")
