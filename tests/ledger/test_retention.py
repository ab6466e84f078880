"""Old contacts leave the ledger."""

from __future__ import annotations

from datetime import timedelta

from conftest import Database

from wolkvox.ledger.retention import forget

INSERT = """
INSERT INTO wolkvox.codification (contact_key, operation, customer_id, state, staged_at)
VALUES (gen_random_uuid(), '0041', %s, %s, now() - %s * interval '1 day')
"""


def test_only_settled_records_past_their_time_are_deleted(ledger: Database) -> None:
    for customer, state, age in [("old", "coded", 181), ("young", "coded", 179), ("waiting", "pending", 181)]:
        ledger.execute(INSERT, customer, state, age)
    assert forget(ledger.connection, timedelta(days=180)) == 1
    assert ledger.rows("SELECT customer_id FROM wolkvox.codification ORDER BY id") == [("young",), ("waiting",)]


def test_the_history_of_a_deleted_record_goes_with_it(ledger: Database) -> None:
    ledger.execute(INSERT, "old", "rejected", 200)
    ledger.execute(
        "INSERT INTO wolkvox.answer (codification_id, state, attempts) SELECT id, 'failed', 1 FROM wolkvox.codification"
    )
    assert forget(ledger.connection, timedelta(days=180)) == 1
    assert ledger.value("SELECT count(*) FROM wolkvox.answer") == 0
