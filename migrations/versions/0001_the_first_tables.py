"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="accounts_pkey"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("rights", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("revoked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="tokens_account_fkey"),
        sa.PrimaryKeyConstraint("id", name="tokens_pkey"),
        sa.UniqueConstraint("account", "name", name="tokens_account_name_key"),
        sa.UniqueConstraint("hash", name="tokens_hash_key"),
    )
    op.create_table(
        "databases",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unknown_fields", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="databases_account_fkey"),
        sa.PrimaryKeyConstraint("id", name="databases_pkey"),
        sa.UniqueConstraint("account", "number", name="databases_account_number_key"),
    )
    op.create_table(
        "resources",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("database", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="resources_account_fkey"),
        sa.ForeignKeyConstraint(["database"], ["databases.id"], name="resources_database_fkey"),
        sa.PrimaryKeyConstraint("id", name="resources_pkey"),
        sa.UniqueConstraint("account", "number", name="resources_account_number_key"),
    )
    op.create_table(
        "triggers",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("database", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("resource", sa.Integer()),
        sa.Column("unconditional_sending", sa.Boolean(), nullable=False),
        sa.Column("skip_minutes", sa.Integer(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.ARRAY(sa.Text())),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="triggers_account_fkey"),
        sa.ForeignKeyConstraint(["database"], ["databases.id"], name="triggers_database_fkey"),
        sa.ForeignKeyConstraint(["resource"], ["resources.id"], name="triggers_resource_fkey"),
        sa.PrimaryKeyConstraint("id", name="triggers_pkey"),
        sa.UniqueConstraint("account", "number", name="triggers_account_number_key"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Integer(), nullable=False),
        sa.Column("database", sa.Integer(), nullable=False),
        sa.Column("trigger", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("matching", sa.Text(), nullable=False),
        sa.Column("field_name", sa.Text()),
        sa.Column("resource", sa.Integer()),
        sa.Column("skip_triggers", sa.Boolean(), nullable=False),
        sa.Column("skip_invalid_subscriptions", sa.Boolean(), nullable=False),
        sa.Column("detect_geo", sa.Boolean(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("custom_data", postgresql.JSONB(), nullable=False),
        sa.Column("rejects", postgresql.JSONB(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepting_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name="batches_account_fkey"),
        sa.ForeignKeyConstraint(["database"], ["databases.id"], name="batches_database_fkey"),
        sa.ForeignKeyConstraint(["resource"], ["resources.id"], name="batches_resource_fkey"),
        sa.ForeignKeyConstraint(["trigger"], ["triggers.id"], name="batches_trigger_fkey"),
        sa.PrimaryKeyConstraint("id", name="batches_pkey"),
    )
    op.create_table(
        "attachments",
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mimetype", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="attachments_batch_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "position", name="attachments_pkey"),
    )
    op.create_table(
        "requests",
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["token"], ["tokens.id"], name="requests_token_fkey"),
        sa.PrimaryKeyConstraint("token", "request_id", name="requests_pkey"),
    )
    op.create_index("requests_batch_idx", "requests", ["batch"])
    op.create_index("requests_expires_at_idx", "requests", ["expires_at"])
    op.create_table(
        "batch_progress",
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", postgresql.BIT(varying=True), nullable=False),
        sa.Column("imported", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="batch_progress_batch_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", name="batch_progress_pkey"),
    )
    op.create_table(
        "profiles",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("database", sa.Integer(), nullable=False),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("subscriptions", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="profiles_pkey"),
        postgresql_with={"fillfactor": "85"},
    )
    op.create_table(
        "identities",
        sa.Column("database", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("database", "kind", "value", "n", name="identities_pkey"),
    )
    op.create_table(
        "profile_tags",
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("profile", name="profile_tags_pkey"),
    )
    op.create_index("profile_tags_tags_idx", "profile_tags", ["tags"], postgresql_using="gin")
    op.create_table(
        "results",
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("profiles", sa.LargeBinary(), nullable=False),
        sa.Column("errors", postgresql.JSONB(), nullable=False),
        sa.Column("custom_data", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="results_batch_fkey", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "chunk", name="results_pkey"),
    )
    op.create_table(
        "launches",
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("trigger", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("first_item", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("profiles", sa.LargeBinary(), nullable=False),
        sa.Column("done", postgresql.BIT(varying=True), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("launched", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("outbox", sa.LargeBinary()),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["batch"], ["batches.id"], name="launches_batch_fkey", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trigger"], ["triggers.id"], name="launches_trigger_fkey"),
        sa.PrimaryKeyConstraint("batch", "trigger", "attempt", "first_item", name="launches_pkey"),
    )
    op.create_index("launches_run_at_idx", "launches", ["run_at"], postgresql_where=sa.text("finished_at IS NULL"))
    op.create_table(
        "progress",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fingerprint", sa.Text()),
        sa.Column("outbox", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("topic", "partition", name="progress_pkey"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary()),
        sa.Column("value", sa.LargeBinary()),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("batch", sa.LargeBinary()),
        sa.Column("item", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replayed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", name="dead_letters_pkey"),
    )
    op.create_index("dead_letters_batch_idx", "dead_letters", ["batch"])


def downgrade() -> None:
    op.drop_table("dead_letters")
    op.drop_table("progress")
    op.drop_table("launches")
    op.drop_table("results")
    op.drop_table("profile_tags")
    op.drop_table("identities")
    op.drop_table("profiles")
    op.drop_table("batch_progress")
    op.drop_table("requests")
    op.drop_table("attachments")
    op.drop_table("batches")
    op.drop_table("triggers")
    op.drop_table("resources")
    op.drop_table("databases")
    op.drop_table("tokens")
    op.drop_table("accounts")
