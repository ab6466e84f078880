"""What an audit asks a ledger full of history is found by an index, once for all campaigns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from conftest import Database
from exporting import ago
from ledger_history import fill_history

from wolkvox.ledger import exports
from wolkvox.ledger.audits import AuditedCampaign, audit, campaigns_to_audit, offer_missing
from wolkvox.ledger.connection import LedgerConnection, now_of, sql
from wolkvox.ledger.impact import breaches, count_dates, count_impact, forget_own_dates, note_dials
from wolkvox.ledger.recent import recent_contacts
from wolkvox.rules.exports import Exported

HISTORY = 100_000
LARGE = ("codification", "dial", "answer")
RECENT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, staged_at, sent_at,
    settled_at, protected_until
)
SELECT
    gen_random_uuid(), '0041', 'predictive', (100 + n % 20)::text, n::text, '141', now() - interval '3 hours', 'coded',
    now() - interval '2 hours', now() - interval '1 hour', now() - interval '1 hour', now() + interval '1 day'
FROM generate_series(1, 3000) AS n
"""
DIALS = """
INSERT INTO wolkvox.dial (codification_id, dialled_at, breach)
SELECT id, settled_at + day * interval '1 day', CASE WHEN id % 10 = 0 THEN 'vendor' END
FROM wolkvox.codification, generate_series(1, 4) AS day
WHERE contacted_at < now() - interval '40 days'
"""
ANSWERS = """
INSERT INTO wolkvox.answer (codification_id, state, attempts)
SELECT id, 'pending', 1
FROM wolkvox.codification
WHERE contacted_at < now() - interval '40 days' AND id % 2 = 0
"""


class Explaining(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that keeps the plan of every statement that reads a large table."""

    plans: dict[str, dict[str, Any]]

    def execute(self, query: Any, params: Any = None, **options: Any) -> Explaining:
        """Explain the statement, then run it."""
        if isinstance(query, str) and any(f"wolkvox.{name}" in query for name in LARGE):
            super().execute(f"EXPLAIN (FORMAT JSON) {query}", params)
            row = self.fetchone()
            assert row is not None
            self.plans[query] = row[0][0]["Plan"]
        return super().execute(query, params, **options)


def read_whole(plan: dict[str, Any]) -> Iterator[str]:
    """The large tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan" and plan.get("Relation Name") in LARGE and plan.get("Schema") != "pg_temp":
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from read_whole(part)


@pytest.fixture
def connection(ledger: Database) -> Iterator[LedgerConnection]:
    """Two years of contacts and dials, and some of today; what is asked is explained."""
    fill_history(ledger.connection, HISTORY)
    ledger.connection.execute(RECENT.encode())
    ledger.connection.execute(DIALS.encode())
    ledger.connection.execute(ANSWERS.encode())
    ledger.execute("ANALYZE wolkvox.codification, wolkvox.dial, wolkvox.answer")
    cursor = type("Cursor", (Explaining,), {"plans": {}})
    with LedgerConnection.connect(ledger.uri, autocommit=True, cursor_factory=cursor) as connection:
        yield connection


def test_no_statement_of_an_audit_reads_a_large_table_whole(connection: LedgerConnection) -> None:
    since = ago(days=31)
    with recent_contacts(connection, "0041", since) as loaded_at:
        campaigns = campaigns_to_audit(connection, "0041")
        assert (len(campaigns), sum(campaigns.values())) == (20, 3_000)
        for campaign in list(campaigns)[:2]:
            look = AuditedCampaign("0041", campaign, now_of(connection))
            shown = [Exported(str(n), "141", "", ago(minutes=30), "", False, "BUSY", 1) for n in range(1, 2_000)]
            exports.load(connection, shown)
            findings = audit(connection, look, code_changes_result=True)
            assert 99 <= findings.confirmed <= 100
            assert findings.confirmed + findings.missing == 150
            assert count_dates(connection, campaign, look.begun).dated >= 99
            note_dials(connection, "0041", campaign, since, loaded_at, dates_are_dials=False)
            count_impact(connection, "0041", campaign, look.begun, (since + timedelta(days=1)).date(), "UTC")
            assert offer_missing(connection, look, 8) >= 50
            exports.forget(connection)
        forget_own_dates(connection)
    assert breaches(connection, "0041", since)["vendor"] >= 199
    plans = connection.cursor_factory.plans  # type: ignore[attr-defined]
    for name in ("load_recent", "audit_by_export", "note_dials", "count_impact", "offer_missing", "forget_own_dates"):
        assert sql(name) in plans, f"{name} was not looked at"
    del plans[sql("forget_own_dates")]  # asked once, when the settings are found to be wrong
    whole = [(query, plan) for query, plan in plans.items() if list(read_whole(plan))]
    assert not whole, "\n\n".join(f"{query}\n{json.dumps(plan, indent=1)}" for query, plan in whole)
