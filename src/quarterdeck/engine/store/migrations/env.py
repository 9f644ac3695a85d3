"""Alembic's entry: always on a connection that the store opened."""

from alembic import context

import quarterdeck.engine.tables  # noqa: F401 - registers every table
from quarterdeck.engine.store.metadata import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
