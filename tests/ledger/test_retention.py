"""Old contacts expire, then they are deleted; their numbers stay."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Database
from old_contacts import HALF_A_YEAR, MONTH, ODD, SECRET, locked, names, put, states

from wolkvox.ledger import retention
from wolkvox.ledger.anonymising import anonymise
from wolkvox.ledger.retention import expire, forget


def test_only_settled_records_past_their_time_are_deleted(ledger: Database) -> None:
    for customer, state, age in [("old", "coded", 181), ("young", "coded", 179), ("waiting", "pending", 181)]:
        put(ledger, customer, state, age)
    assert forget(ledger.connection, HALF_A_YEAR) == 1
    assert names(ledger) == ["young", "waiting"]


def test_the_history_of_a_deleted_record_goes_with_it(ledger: Database) -> None:
    put(ledger, "old", "rejected", 200)
    ledger.execute(
        "INSERT INTO wolkvox.answer (codification_id, state, attempts) SELECT id, 'failed', 1 FROM wolkvox.codification"
    )
    ledger.execute("INSERT INTO wolkvox.dial (codification_id, dialled_at) SELECT id, now() FROM wolkvox.codification")
    assert forget(ledger.connection, HALF_A_YEAR) == 1
    assert ledger.value("SELECT count(*) FROM wolkvox.answer") == 0
    assert ledger.value("SELECT count(*) FROM wolkvox.dial") == 0


def test_the_numbers_of_what_is_deleted_stay(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        put(ledger, "1", "coded", 1_200)
    put(ledger, "1", "rejected", 1_200)
    assert forget(ledger.connection, timedelta(days=1_096)) == 6
    assert ledger.rows("SELECT state, records FROM wolkvox.monthly_total ORDER BY 1") == [("coded", 5), ("rejected", 1)]


def test_age_counts_from_settlement_however_long_a_contact_had_waited(ledger: Database) -> None:
    for age in (300, 170):
        put(ledger, f"settled {age}", "coded", age)
    ledger.execute("UPDATE wolkvox.codification SET staged_at = now() - interval '400 days'")
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (1, 0)
    assert forget(ledger.connection, HALF_A_YEAR) == 1
    assert names(ledger) == ["settled 170"]


@pytest.mark.parametrize("operation", ["sales", "closed", "0041"])
def test_what_is_too_old_to_be_sent_expires_whoever_sent_it(ledger: Database, operation: str) -> None:
    put(ledger, "old", "pending", 40)
    put(ledger, "dead", "pending", 40)
    put(ledger, "young", "pending", 30)
    put(ledger, "ahead", "pending", 40)
    ledger.execute("UPDATE wolkvox.codification SET operation = %s, contacted_at = staged_at", operation)
    ledger.execute(
        "UPDATE wolkvox.codification SET contacted_at = now() + interval '1 year' WHERE customer_id = 'ahead';"
        "UPDATE wolkvox.codification SET state = 'sending', attempts = 1, sent_at = now() - interval '39 days'"
        " WHERE customer_id = 'dead'"
    )
    assert expire(ledger.connection, MONTH) == (3, 0)
    assert states(ledger) == ["expired", "expired", "pending", "expired"]
    assert ledger.rows("SELECT reason, sent_at < now() - interval '38 days' FROM wolkvox.answer") == [
        ("unknown_crash", True)
    ], "that it may have been sent stays known"


def test_what_is_being_sent_is_left_alone_and_what_is_locked_is_told(ledger: Database) -> None:
    for customer in ("sent now", "locked", "old"):
        put(ledger, customer, "pending", 40)
    ledger.execute("UPDATE wolkvox.codification SET state = 'sending', sent_at = now() WHERE customer_id = 'sent now'")
    with locked(ledger, "locked"):
        assert expire(ledger.connection, MONTH) == (1, 1)
    assert expire(ledger.connection, MONTH) == (1, 0)
    assert states(ledger) == ["sending", "expired", "expired"]


@pytest.mark.parametrize("columns", ODD.values(), ids=list(ODD))
def test_totals_hold_nothing_of_odd_columns_either(ledger: Database, columns: dict[str, str]) -> None:
    put(ledger, None, "invalid", 200)
    for name, value in columns.items():
        ledger.execute(f"UPDATE wolkvox.codification SET {name} = %s", value)
    assert forget(ledger.connection, HALF_A_YEAR) == 1
    assert next(iter(columns.values())) not in str(ledger.rows("SELECT * FROM wolkvox.monthly_total"))
