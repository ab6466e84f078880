"""Nothing in the ledger grows for ever: each table with what bounds it, and the tidying seen to work."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from conftest import Database
from contact_rows import read
from staged import stage_in

from wolkvox.ledger.figures import count_closed_spans
from wolkvox.ledger.retention import forget, tidy
from wolkvox.rules.spans import shown_spans

KEEP = timedelta(days=400)
CODED = (
    "INSERT INTO wolkvox.codification (contact_key, operation, state, staged_at, settled_at)"
    " SELECT gen_random_uuid(), '0041', 'coded', moment, moment"
    " FROM (SELECT now() - %s * interval '1 day' AS moment) AS at RETURNING id"
)
ALERT = "INSERT INTO wolkvox.alert SELECT '0041', 'dag', gen_random_uuid(), 'Away.', at, at FROM ({at}) AS moment (at)"
RUN = (
    "INSERT INTO wolkvox.run SELECT '0041', 'dag', gen_random_uuid(), at, at, 'success', '{{}}', at"
    " FROM ({at}) AS moment (at)"
)
AT = "SELECT now() - %s * interval '1 day'"
# By table: how many days its rows stay, and one of a given age.
AGED = {
    "codification": (400, CODED),
    "answer": (400, f"WITH of AS ({CODED}) INSERT INTO wolkvox.answer SELECT id, 'failed', 1 FROM of"),
    "dial": (400, f"WITH of AS ({CODED}) INSERT INTO wolkvox.dial SELECT id, now() FROM of"),
    "run": (400, RUN.format(at=AT)),
    "hold": (
        400,
        "INSERT INTO wolkvox.hold (operation, dag_id, dag_run_id, why, records, held_at)"
        f" SELECT '0041', 'dag', 'run', '[]', 1, at FROM ({AT}) AS moment (at)",
    ),
    "quota": (400, f"INSERT INTO wolkvox.quota (account, day) {AT.replace('SELECT', 'SELECT gen_random_uuid(),')}"),
    "impact": (
        400,
        "INSERT INTO wolkvox.impact SELECT '0041', at, 'preview', '17', 1, 0, 0, 0, array_fill(0, ARRAY[12])"
        f" FROM ({AT}) AS moment (at)",
    ),
    "ingest_count": (62, f"INSERT INTO wolkvox.ingest_count SELECT '0041', at, 5 FROM ({AT}) AS moment (at)"),
    "chunk": (
        31,
        f"WITH of AS ({RUN.format(at='SELECT now()')} RETURNING operation, dag_id, dag_run_id)"
        " INSERT INTO wolkvox.chunk (chunk_id, operation, dag_id, dag_run_id, number, made_at)"
        f" SELECT dag_run_id, operation, dag_id, dag_run_id, 1, at FROM of, ({AT}) AS moment (at)",
    ),
    "reservation": (
        31,
        f"INSERT INTO wolkvox.reservation SELECT gen_random_uuid(), '0041', at, 1, at FROM ({AT}) AS moment (at)",
    ),
    "export": (31, f"INSERT INTO wolkvox.export SELECT '0041', gen_random_uuid(), at FROM ({AT}) AS moment (at)"),
    "consecutive_failures": (
        31,
        "INSERT INTO wolkvox.consecutive_failures SELECT '0041', 'preview', gen_random_uuid(), '{1}', at, '{}', at"
        f" FROM ({AT}) AS moment (at)",
    ),
    "alert": (31, ALERT.format(at=AT)),
    "notification": (
        31,
        f"WITH of AS ({ALERT.format(at=AT)} RETURNING alert) INSERT INTO wolkvox.notification"
        " SELECT '0041', 'dag', alert, 'ana', now(), false, now() FROM of",
    ),
    "undelivered": (
        31,
        "INSERT INTO wolkvox.undelivered SELECT '0041', 'dag', gen_random_uuid(), at, at, 'refused'"
        f" FROM ({AT}) AS moment (at)",
    ),
}
# By table: what bounds it, or why it may grow a little.
BOUNDED = {
    "activity_codes": "one an operation",
    "anonymised": "one an operation",
    "campaign": "those that wolkvox lists, replaced with each list",
    "contact_version": "goes with its contact",
    "dag": "one a DAG",
    "campaign_sync": "one an operation",
    "migration": "one",
    "circuit_breaker": "one an operation",
    "suspended_campaign": "one a suspended campaign, until it is resumed or none of its records waits",
    "dirty_hour": "recomputed by the next verdict",
    "retention": "one",
    "daily_digest": "one an operation and day: what proves that nothing is gone stays",
    "slot": "two a token",
    "span": "those of a month that the page shows",
    "span_count": "goes with its span",
    "token": "one a token",
    "monthly_total": "one a month, campaign, state and reason: numbers stay",
    "dedupe_backlog": "compared by the next stage",
    "watch": "one a DAG",
    "export_cursor": "one a table of results",
}
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'wolkvox' AND table_type = 'BASE TABLE'"


def test_every_table_is_known_with_what_bounds_it(ledger: Database) -> None:
    known = [*AGED, *BOUNDED]
    assert sorted(known) == sorted(name for (name,) in ledger.rows(TABLES))


@pytest.mark.parametrize("table", AGED)
def test_old_rows_go_and_young_ones_stay(ledger: Database, table: str) -> None:
    days, row = AGED[table]
    for age in (days + 1, days + 500, days - 1, 0):
        ledger.execute(row, age)
    count = f"SELECT count(*) FROM wolkvox.{table}"
    ledger.execute("TRUNCATE wolkvox.ingest_count") if table != "ingest_count" else None
    assert ledger.value(count) == 4
    for _ in range(2):
        tidy(ledger.connection, KEEP)
        forget(ledger.connection, KEEP)
        assert ledger.value(count) == 2


def test_versions_of_a_contact_go_with_it(ledger: Database) -> None:
    stage_in(ledger.connection, [read()])
    stage_in(ledger.connection, [read(cod_act="6")], "run 2")
    assert ledger.value("SELECT count(*) FROM wolkvox.contact_version") == 1
    ledger.execute("DELETE FROM wolkvox.codification")
    tidy(ledger.connection, KEEP)
    assert ledger.value("SELECT count(*) FROM wolkvox.contact_version") == 0


def test_what_a_run_notes_for_the_next_one_is_used_up(ledger: Database) -> None:
    now = datetime.now(timezone.utc)
    stage_in(ledger.connection, [read()])
    assert ledger.value("SELECT count(*) FROM wolkvox.dedupe_backlog") == 0
    ledger.execute(CODED, 2)
    ledger.execute("UPDATE wolkvox.codification SET reason = 'again' WHERE state = 'coded'")
    assert ledger.value("SELECT count(*) FROM wolkvox.dirty_hour") > 0
    for day in range(3):
        count_closed_spans(ledger.connection, "0041", shown_spans(now + timedelta(days=day), "UTC"))
    assert ledger.value("SELECT count(*) FROM wolkvox.dirty_hour") == 0
    assert ledger.value("SELECT count(*) FROM wolkvox.span") <= len(shown_spans(now, "UTC"))
