"""What Alembic runs: the migrations on the connection that it was given, in that connection's transaction."""

from alembic import context

from doorward.stores.revision import TABLE

given = context.config.attributes
context.configure(connection=given["connection"], version_table=TABLE, **given.get("options", {}))
context.run_migrations()
