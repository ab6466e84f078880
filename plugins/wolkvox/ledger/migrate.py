"""Bring the ledger's schema up to date: run by whoever deploys, never by a DAG run."""

from __future__ import annotations

from pathlib import Path

from airflow.providers.postgres.hooks.postgres import PostgresHook
from alembic import command
from alembic.config import Config
from sqlalchemy import text

# Two machines may deploy at the same time; the number is arbitrary, but everybody's.
MIGRATION_LOCK = 7_041_964_030


def migrate(ledger_conn_id: str = "wolkvox_ledger") -> None:
    """
    Upgrade the schema ``wolkvox`` of a PostgreSQL database (15 or newer) to this package's version.

    Safe to run again, and from two machines at once: the second one waits and finds nothing to do.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    engine = PostgresHook(postgres_conn_id=ledger_conn_id).get_sqlalchemy_engine()
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS wolkvox"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
