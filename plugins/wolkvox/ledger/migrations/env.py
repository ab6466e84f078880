"""Runs the ledger's migrations on the connection that ``wolkvox.ledger.migrate`` hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="migration", version_table_schema="wolkvox")
with context.begin_transaction():
    context.run_migrations()
