"""A backup of the ledger, an hour old, is restored: nothing that wolkvox can be asked about is sent twice."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

from conftest import Database
from crew import Crew, connect, fill, send, sent_again, states
from sandbox_server import SandboxServer

from local.postgres import binaries
from wolkvox.ledger.digests import digest, verify_digests


def run(program: str, *arguments: str) -> None:
    subprocess.run([str(binaries() / program), *arguments], check=True, capture_output=True)


def test_after_a_restore_nothing_is_sent_twice_that_wolkvox_shows(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew, tmp_path: Path
) -> None:
    connect(sandbox, export_preflight="on")
    sandbox.control(members={"17": [f"customer-{n}" for n in range(1, 301)]})
    fill(warehouse, 100)
    send(crew, "before the backup")
    backup = str(tmp_path / "ledger.dump")
    run("pg_dump", "--schema=wolkvox", "--format=custom", f"--file={backup}", ledger.uri)
    fill(warehouse, 200, first=101)
    send(crew, "after the backup")
    assert states(ledger) == {"coded": 300}

    ledger.execute("DROP SCHEMA wolkvox CASCADE")
    run("pg_restore", "--exit-on-error", f"--dbname={ledger.uri}", backup)
    assert states(ledger) == {"coded": 100}
    ledger.execute("UPDATE wolkvox.export SET asked_at = asked_at - interval '1 hour'")
    fill(warehouse, 1, first=999)
    send(crew, "after the restore")
    assert sent_again(sandbox.stats()) == 0
    assert ledger.rows("SELECT state, reason, count(*) FROM wolkvox.codification GROUP BY 1, 2 ORDER BY 3") == [
        ("pending", "not_in_campaign", 1),
        ("coded", None, 100),
        ("coded", "already_coded", 200),
    ]


def test_a_restored_ledger_still_agrees_with_its_seals(ledger: Database, tmp_path: Path) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, customer_id, state, staged_at, settled_at)"
        " SELECT gen_random_uuid(), '0041', n::text, 'coded', moment, moment FROM generate_series(1, 40) AS n,"
        " LATERAL (SELECT now() - (80 - n) * interval '1 day' AS moment) AS at"
    )
    days, _ = digest(ledger.connection, "0041", "secret", timedelta(days=1_096))
    assert days > 35
    backup = str(tmp_path / "ledger.dump")
    run("pg_dump", "--schema=wolkvox", "--format=custom", f"--file={backup}", ledger.uri)
    ledger.execute("DROP SCHEMA wolkvox CASCADE")
    run("pg_restore", "--exit-on-error", f"--dbname={ledger.uri}", backup)
    assert verify_digests(ledger.connection, "0041", "secret").findings == []
