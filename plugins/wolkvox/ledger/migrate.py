"""Upgrades the ledger's schema: run when the product is deployed, never by a DAG run."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from tenacity import (
    RetryError,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_delay,
    wait_fixed,
)

from wolkvox.errors import BadSetting, LedgerUnavailable
from wolkvox.ledger.connection import Connection, connected
from wolkvox.ledger.integrity import advance_sequences, validate

MIGRATIONS = Path(__file__).parent / "migrations"
# Two machines may deploy at the same time; the number is arbitrary.
MIGRATION_LOCK = 7_041_964_030
LONGEST_WAIT = 2.0  # seconds to wait for a table's lock; codify tasks wait behind it
PAUSE = 3.0  # seconds between two tries
TIMEOUT = 600.0  # seconds for all tries
_BEFORE_RELEASE = re.compile(r"\d{4}")  # the numbers of older versions
# An index on a large ledger takes longer than the time-outs of some servers and roles.
_NO_TIMEOUT = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
)


def migrate(ledger_conn_id: str = "wolkvox_ledger") -> None:
    """
    Upgrade the schema ``wolkvox`` of a PostgreSQL database (15 or newer) to this package's version.

    It may run again, and on two machines at once: the second one waits and finds nothing to do. It delays running tasks
    and queries by two seconds at most.

    It also repairs sequences that are behind their rows, as a copy of the tables alone leaves them.

    :raises BadSetting: when the database can't hold a ledger, the login may not make one, the ledger is of a newer
        version, or rows that were changed by hand break a constraint
    :raises LedgerUnavailable: when it can't be reached, or can't be written to at the moment
    """
    with connected(ledger_conn_id) as connection:
        refuse_unfit(connection, ledger_conn_id)
        refuse_newer(connection, ledger_conn_id)
    engine = PostgresHook(postgres_conn_id=ledger_conn_id).get_sqlalchemy_engine()
    try:
        for attempt in Retrying(
            retry=retry_if_exception(_is_locked), stop=stop_after_delay(TIMEOUT), wait=wait_fixed(PAUSE)
        ):
            with attempt:
                _upgrade(engine)
    except RetryError as error:
        raise LedgerUnavailable(
            f"The ledger at connection {ledger_conn_id!r} stayed in use for {TIMEOUT / 60:.0f} minutes, by a backup"
            " or a long query perhaps: nothing was changed. Try again once that is over (pg_stat_activity names it)."
        ) from error
    finally:
        engine.dispose()
    with connected(ledger_conn_id) as connection:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            advance_sequences(connection)
        validate(connection)


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and isinstance(error.orig, psycopg.errors.LockNotAvailable)


def _upgrade(engine: Engine) -> None:
    """
    Upgrade in one transaction.

    A change of a table waits for all its users, and new users wait behind it: so the wait is short, and the caller
    tries again.
    """
    config = _config()
    with engine.begin() as transaction:
        transaction.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT:.0f}s'"))
        transaction.execute(text(_NO_TIMEOUT))
        transaction.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        if not transaction.scalar(text("SELECT to_regnamespace('wolkvox') IS NOT NULL")):
            # Not "if not exists": that wants the right to make schemas even where there is one.
            transaction.execute(text("CREATE SCHEMA wolkvox"))
        config.attributes["connection"] = transaction
        command.upgrade(config, "head")


def refuse_unfit(connection: Connection, ledger_conn_id: str) -> None:
    """Check what no session can set.

    :raises BadSetting: when the database's encoding lacks letters, or the login may not make the schema
    """
    row = connection.execute(
        "SELECT pg_encoding_to_char(encoding), datname, current_user,"
        " has_database_privilege(oid, 'CREATE') OR to_regnamespace('wolkvox') IS NOT NULL"
        " FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row is not None
    encoding, database, login, may_create = row
    if encoding != "UTF8":
        raise BadSetting(
            f"The database of connection {ledger_conn_id!r} is in {encoding}, which can't hold every comment: make one"
            " with ENCODING 'UTF8' (CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0)."
        )
    if not may_create:
        raise BadSetting(
            f"The login of connection {ledger_conn_id!r} may not make the schema wolkvox: GRANT CREATE ON DATABASE"
            f' "{database}" TO "{login}", or make the schema and give it to that login.'
        )


def refuse_newer(connection: Connection, ledger_conn_id: str) -> None:
    """Check that this package knows the ledger's version.

    :raises BadSetting: when a newer package has upgraded it, so that this one can't work with it, or when it was made
        before 1.0.0, whose ledgers can't be upgraded
    """
    version, head = versions(connection)
    if version is not None and _BEFORE_RELEASE.fullmatch(version):
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} was made by a version before 1.0.0 ({version}):"
            " it can't be upgraded. Rename its schema, or give the connection an empty database (docs/operating.md)."
            " With export_preflight on, what wolkvox shows as coded is not sent again."
        )
    revisions = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in revisions:
        raise BadSetting(
            f"The ledger at connection {ledger_conn_id!r} is of version {version}, and this package knows none after"
            f" {head}: a newer package has upgraded it. Install that one, or restore the backup from before."
        )


def versions(connection: Connection) -> tuple[str | None, str]:
    """The schema's version, None where there is none yet, and this package's."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    table = connection.execute("SELECT to_regclass('wolkvox.migration') IS NOT NULL").fetchone()
    row = connection.execute("SELECT version_num FROM wolkvox.migration").fetchone() if table and table[0] else None
    return (row[0] if row else None), head


def wait_until_migrated(ledger_conn_id: str, timeout: float) -> None:
    """
    Wait until another process has upgraded the schema to this package's version.

    :param timeout: seconds that this may take
    :raises LedgerUnavailable: when it took longer
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(LedgerUnavailable),
        stop=stop_after_delay(timeout),
        wait=wait_fixed(min(PAUSE, timeout)),
        reraise=True,
    ):
        with attempt, connected(ledger_conn_id, writing=False) as connection:
            version, wanted = versions(connection)
            if version != wanted:
                raise LedgerUnavailable(
                    f"The ledger at connection {ledger_conn_id!r} is still of version {version or 'none'} after"
                    f" {timeout:.0f} s; this package needs {wanted}: run `python -m wolkvox migrate`."
                )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
