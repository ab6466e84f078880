"""Somebody replicates the ledger, or feeds its changes elsewhere: every DAG works on, whatever it deletes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from conftest import Database
from crew import connect, fill, stage, states, task, verdict
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.rules.ages import Ages
from wolkvox.rules.audit import AuditRules
from wolkvox.rules.runs import Chunk
from wolkvox.tasks.audit import audit_operation
from wolkvox.tasks.chunk import codify_chunk
from wolkvox.tasks.retention import retire

TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wolkvox' AND table_type = 'BASE TABLE'"
AGED = (
    "UPDATE wolkvox.codification SET (staged_at, contacted_at, settled_at) = (%s, %s, %s) WHERE customer_id = ANY(%s)"
)


class Silent:
    """A meter that counts nothing."""

    def timed(self, send: Any) -> Any:
        return send

    def report(self, progress: Any) -> None:
        pass

    def finish(self) -> None:
        pass


def codify(run: str, chunk: Chunk) -> dict[str, Any]:
    with WolkvoxHook() as wolkvox:
        return codify_chunk(task(run), wolkvox, chunk, Silent())


def whole_run(run: str) -> list[str]:
    """Do what the three tasks of a run do; why it isn't green."""
    chunks, staged = stage(run)
    _, complaints = verdict(run, staged, [codify(run, chunk) for chunk in chunks])
    return complaints


@pytest.fixture
def fed(ledger: Database) -> Database:
    """A ledger whose every change is published."""
    ledger.execute("CREATE PUBLICATION feed FOR ALL TABLES")
    return ledger


def test_without_a_key_a_table_could_not_be_fed(fed: Database) -> None:
    """What the next test rests on: PostgreSQL refuses at whatever wal_level."""
    fed.execute("CREATE TABLE wolkvox.keyless (operation text)")
    fed.execute("INSERT INTO wolkvox.keyless VALUES ('0041')")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="replica identity"):
        fed.execute("DELETE FROM wolkvox.keyless")


def test_a_day_of_all_dags_is_green(fed: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    connect(sandbox, call_timeout=5)
    sandbox.control(members={"17": [f"customer-{n}" for n in range(1, 61)]})
    fill(warehouse, 40)
    assert whole_run("first") == []
    fill(warehouse, 20, first=41)
    warehouse.execute("UPDATE contacted_customers SET cod_act = '6' WHERE customer_id = 'customer-41'")
    sandbox.control(faults={"customer-42": [{"kind": "reset_before"}]})
    assert whole_run("second") == []
    assert whole_run("third") == []
    with WolkvoxHook() as wolkvox:
        _, complaint = audit_operation(task("audit", "wolkvox_audit"), wolkvox, AuditRules(31, False, 0.0))
    assert complaint is None
    fed.execute("UPDATE wolkvox.run SET began_at = began_at - interval '900 days' WHERE dag_run_id = 'first'")
    now = fed.value("SELECT now()")
    for days, customers in ((900, [1, 2, 3]), (200, [4, 5])):
        then = now - timedelta(days=days)
        fed.execute(AGED, then, then, then, [f"customer-{n}" for n in customers])
    ages = Ages(timedelta(days=400), timedelta(days=180), timedelta(days=31))
    done = retire("wolkvox_ledger", ages, lambda: "secret", str)
    assert (done.anonymous, done.deleted, done.complaints) == (5, 3, [])
    assert whole_run("fourth") == []
    assert states(fed)["coded"] >= 56


def test_every_row_of_every_table_can_be_changed_and_deleted(fed: Database) -> None:
    for (table,) in fed.rows(TABLES):
        (column,) = fed.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = format('wolkvox.%%I', %s::text)::regclass"
            " AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum LIMIT 1",
            table,
        )[0]
        fed.execute(f"UPDATE wolkvox.{table} SET {column} = {column}")
        fed.execute(f"DELETE FROM wolkvox.{table}")
