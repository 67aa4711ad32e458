"""Profiles can be walked through by database, and filed anew."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Imports go on meanwhile; one that was cut short was left invalid, and is made anew.
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX IF EXISTS profiles_database_id_idx")
        # It keeps nobody out while it waits for those who began before.
        op.execute("SET lock_timeout = 0")
        op.create_index("profiles_database_id_idx", "profiles", ["database", "id"], postgresql_concurrently=True)
        op.execute("RESET lock_timeout")
    op.create_table(
        "refilings",
        sa.Column("database", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("turn", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("waited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("swept_value", sa.Text(collation="C")),
        sa.Column("swept_n", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("filed", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("database", name="refilings_pkey"),
    )
    # What was filed until now is spelled otherwise from now on; an int is not, and nothing else than a database's own fields.
    op.execute("""
        INSERT INTO refilings (database, fields, swept_value)
        SELECT id, ARRAY(SELECT key FROM jsonb_each(fields) WHERE value -> 'match' = 'true' AND value ->> 'type' <> 'int'), ''
        FROM databases WHERE EXISTS (SELECT FROM profiles WHERE profiles.database = databases.id)
    """)


def downgrade() -> None:
    op.drop_index("profiles_database_id_idx", "profiles")
    op.drop_table("refilings")
