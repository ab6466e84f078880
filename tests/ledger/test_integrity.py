"""A ledger that was copied, restored or changed by hand: what it lost is named by check, and mended by migrate."""

from __future__ import annotations

import subprocess
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from conftest import Database
from contact_rows import read
from staged import stage_in, states

from local.postgres import binaries
from wolkvox.cli.check import findings
from wolkvox.cli.check.connections import check_schema
from wolkvox.errors import BadSetting
from wolkvox.ledger.migrate import migrate
from wolkvox.operators import WolkvoxStageOperator

SEQUENCES = (
    "SELECT sequencename FROM pg_sequences WHERE schemaname = 'wolkvox' AND coalesce(last_value, 0) > 0 ORDER BY 1"
)


def schema_line() -> str:
    """What the check says of the ledger's schema."""
    (finding,) = findings(WolkvoxStageOperator(task_id="stage", sql=""), "dag", {"schema": check_schema})
    assert finding.ok == finding.message.startswith("version ")
    return finding.message


def run(program: str, *arguments: str, given: str = "") -> str:
    command = [str(binaries() / program), *arguments]
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout


def copy_without_sequences(ledger: Database, folder: Path) -> None:
    """Dump the ledger and restore it, all but what its sequences have counted."""
    backup, wanted = str(folder / "ledger.dump"), folder / "wanted"
    run("pg_dump", "--schema=wolkvox", "--format=custom", f"--file={backup}", ledger.uri)
    lines = run("pg_restore", "--list", backup).splitlines(keepends=True)
    wanted.write_text("".join(line for line in lines if "SEQUENCE SET" not in line))
    script = run("pg_restore", f"--use-list={wanted}", "--file=-", backup)
    ledger.execute("DROP SCHEMA wolkvox CASCADE")
    # The oldest servers know no such setting.
    known = "".join(line for line in script.splitlines(keepends=True) if "transaction_timeout" not in line)
    run("psql", "--quiet", "--set=ON_ERROR_STOP=1", ledger.uri, given=known)


@pytest.fixture
def used(ledger: Database) -> Database:
    """A ledger with contacts, an answer that was kept, a counted span and a deleted contact's number."""
    stage_in(ledger.connection, [read(customer_id=str(n)) for n in range(1, 6)])
    ledger.execute("UPDATE wolkvox.codification SET state = 'rejected', settled_at = now() WHERE customer_id = '1'")
    ledger.execute("UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL WHERE customer_id = '1'")
    ledger.execute("INSERT INTO wolkvox.span VALUES ('0041', '2026-03-02', '2026-03-03')")
    ledger.execute(
        "INSERT INTO wolkvox.span_count VALUES"
        " ('0041', '2026-03-02', '2026-03-03', 'preview', '17', 'coded', NULL, NULL, 1, now())"
    )
    ledger.execute("INSERT INTO wolkvox.monthly_total VALUES ('0041', '2026-03-01', 'preview', '17', 'coded', NULL, 1)")
    ledger.execute("INSERT INTO wolkvox.dedupe_backlog (operation, above) VALUES ('other', 0)")
    return ledger


def test_a_ledger_copied_without_its_sequences_is_named_by_check_and_mended_by_migrate(
    used: Database, tmp_path: Path
) -> None:
    assert len(used.rows(SEQUENCES)) == 6, "each of them has numbered something"
    assert schema_line().startswith("version ")
    copy_without_sequences(used, tmp_path)
    message = schema_line()
    assert "copied without its sequences" in message
    assert "(answer, codification, dedupe_backlog, ingest_count, monthly_total, span_count)" in message
    with pytest.raises(psycopg.errors.UniqueViolation):
        stage_in(used.connection, [read(customer_id="6")])
    migrate()
    assert schema_line().startswith("version ")
    stage_in(used.connection, [read(customer_id="6")])
    assert states(used) == {"pending": 6}


def test_a_login_that_owns_nothing_may_check(used: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    role = f"writer_{uuid4().hex}"
    used.execute(f"CREATE ROLE {role} LOGIN")
    used.execute(f"GRANT USAGE ON SCHEMA wolkvox TO {role}")
    used.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA wolkvox TO {role}")
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_LEDGER", used.uri.replace("postgres@", f"{role}@"))
    used.execute("ALTER SEQUENCE wolkvox.codification_id_seq RESTART")
    assert schema_line().startswith("version "), "what it may not see, it doesn't judge"
    used.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA wolkvox TO {role}")
    assert "copied without its sequences (codification)" in schema_line()
    used.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize(
    ("change", "largest"),
    [
        ("SELECT setval('wolkvox.codification_id_seq', 3)", 5),
        ("SELECT setval('wolkvox.codification_id_seq', 5, false)", 5),
        ("UPDATE wolkvox.codification SET id = DEFAULT WHERE customer_id = '5'", 6),
    ],
)
def test_a_sequence_that_is_behind_is_put_right_and_never_back(used: Database, change: str, largest: int) -> None:
    used.execute(change)
    migrate()
    assert used.value("SELECT last_value FROM wolkvox.codification_id_seq") == largest
    stage_in(used.connection, [read(customer_id="6")])
    assert used.value("SELECT max(id) FROM wolkvox.codification") > largest


def test_a_sequence_that_is_ahead_of_deleted_rows_stays_where_it_is(used: Database) -> None:
    used.execute("DELETE FROM wolkvox.codification")
    migrate()
    assert schema_line().startswith("version ")
    assert used.value("SELECT last_value FROM wolkvox.codification_id_seq") == 5


def test_rows_that_break_a_rule_are_named_without_their_customer(used: Database) -> None:
    rule = "ALTER TABLE wolkvox.codification {} CONSTRAINT codification_settled_at_check"
    definition = used.value(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'codification_settled_at_check'"
    )
    used.execute(rule.format("DROP"))
    used.execute("UPDATE wolkvox.codification SET settled_at = now() WHERE customer_id = '3'")
    used.execute(f"{rule.format('ADD')} {definition} NOT VALID")
    assert "codification_settled_at_check" in schema_line()
    with pytest.raises(BadSetting, match=r"rows of wolkvox\.codification break its constraint") as raised:
        migrate()
    assert "preview" not in str(raised.value)
    used.execute("UPDATE wolkvox.codification SET settled_at = NULL")
    migrate()
    assert schema_line().startswith("version ")


def test_a_ledger_of_a_newer_package_is_left_alone(used: Database) -> None:
    used.execute("UPDATE wolkvox.migration SET version_num = '9.0.0'")
    newer = "is of version 9.0.0, and this package knows none after"
    assert newer in schema_line()
    with pytest.raises(BadSetting, match=newer):
        migrate()


def test_texts_in_another_order_than_the_indexes_have_are_told_with_what_to_do(used: Database) -> None:
    recorded = "UPDATE pg_database SET datcollversion = %s WHERE datname = current_database()"
    actual = used.value(
        "SELECT pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = current_database()"
    )
    used.execute(recorded, "2.28")
    message = schema_line()
    assert "its indexes were made with 2.28" in message
    assert "REINDEX DATABASE" in message
    used.execute(recorded, actual)
    assert schema_line().startswith("version ")
