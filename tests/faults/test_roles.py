"""The roles that the security page gives are enough: one makes the tables, another one does the work."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from conftest import Database
from crew import Crew, fill, stage, states, verdict
from sandbox_server import SandboxServer

from local.postgres import binaries
from wolkvox.ledger.migrate import migrate
from wolkvox.rules.ages import Ages
from wolkvox.tasks.retention import retire

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
ROLES = ("wolkvox_owner", "wolkvox_writer", "wolkvox_reader")


def uri(database: Database, role: str) -> str:
    return database.uri.replace("postgres@", f"{role}@")


@pytest.fixture
def roles(postgres_socket: Path) -> Iterator[Database]:
    """A database whose roles are those of the security page, without a ledger yet."""
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    admin = Database(postgres_socket, "postgres")
    name = f"test_{uuid4().hex}"
    admin.execute(f"CREATE DATABASE {name}")
    database = Database(postgres_socket, name)
    database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database.execute(block)
    yield database
    database.connection.close()
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    for role in ROLES:
        admin.execute(f"DROP ROLE {role}")
    admin.connection.close()


@pytest.fixture
def shared(roles: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The ledger made by the owner, the work the writer's."""
    monkeypatch.setenv("AIRFLOW_CONN_OF_THE_OWNER", uri(roles, "wolkvox_owner"))
    migrate("of_the_owner")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", uri(roles, "wolkvox_writer"))
    return roles


def test_the_writer_does_all_the_work_and_changes_no_table(
    shared: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    fill(warehouse, 20)
    chunks, counts = stage()
    summary, complaints = verdict("run", counts, [crew.codify(chunk).tally() for chunk in chunks])
    assert (summary["coded"], complaints, states(shared)) == (20, [], {"coded": 20})
    ages = Ages(timedelta(days=1_000), timedelta(days=180), timedelta(days=31))
    assert retire("wolkvox_ledger", ages, lambda: "secret", str).complaints == []
    for role, statement in (
        ("wolkvox_writer", "ALTER TABLE wolkvox.codification ADD COLUMN more text"),
        ("wolkvox_writer", "DROP TABLE wolkvox.daily_digest"),
        ("wolkvox_reader", "UPDATE wolkvox.codification SET state = 'coded'"),
        ("wolkvox_reader", "DELETE FROM wolkvox.daily_digest"),
    ):
        with psycopg.connect(uri(shared, role)) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement.encode())
    with psycopg.connect(uri(shared, "wolkvox_reader")) as session:
        assert session.execute("SELECT count(*) FROM wolkvox.codification").fetchone() == (20,)


def test_a_ledger_that_one_login_made_is_restored_for_three(
    ledger: Database,
    roles: Database,
    warehouse: Database,
    sandbox: SandboxServer,
    crew: Crew,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The way that the operating guide gives."""
    fill(warehouse, 5)
    for chunk in stage("before")[0]:
        crew.codify(chunk).tally()
    dump = subprocess.run(
        [str(binaries() / "pg_dump"), "--no-owner", ledger.uri], check=True, capture_output=True, text=True
    )
    psql = [str(binaries() / "psql"), "--quiet", uri(roles, "wolkvox_owner")]
    restored = subprocess.run(psql, input=dump.stdout, capture_output=True, text=True)
    errors = [line for line in restored.stderr.splitlines() if "ERROR" in line]
    assert len(errors) == 1, "the schema is there, and its owner may make no other one"
    assert "permission denied for database" in errors[0]

    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", uri(roles, "wolkvox_writer"))
    fill(warehouse, 5, first=6)
    for chunk in stage("after")[0]:
        crew.codify(chunk).tally()
    assert states(roles) == {"coded": 10}
    assert set(sandbox.stats()["calls_per_record"].values()) == {1}
