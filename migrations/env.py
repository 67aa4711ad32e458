"""Runs the migrations on the connection that `profuse.migrating.tables` hands over, in that connection's first schema."""

from alembic import context

from schemas.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)

with context.begin_transaction():
    context.run_migrations()
