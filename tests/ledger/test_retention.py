"""Old contacts are anonymous, then gone; their numbers stay, and whoever has an id still finds them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Database

from wolkvox.ledger import retention
from wolkvox.ledger.retention import anonymise, forget
from wolkvox.rules.anonymity import anonymous, is_anonymous

SECRET = "of the operation"
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, customer_id, state, staged_at, settled_at, comment, response_msg
)
SELECT
    gen_random_uuid(), '0041', customer, state, moment, CASE WHEN state <> 'pending' THEN moment END, 'hers', 'of her'
FROM (SELECT %s AS customer, %s AS state, now() - %s * interval '1 day' AS moment) AS at
"""
NAMES = "SELECT customer_id FROM wolkvox.codification ORDER BY id"


def put(ledger: Database, customer: str | None, state: str, age: float) -> None:
    ledger.execute(INSERT, customer, state, age)


def names(ledger: Database) -> list[str | None]:
    return [name for (name,) in ledger.rows(NAMES)]


def test_only_settled_records_past_their_time_are_deleted(ledger: Database) -> None:
    for customer, state, age in [("old", "coded", 181), ("young", "coded", 179), ("waiting", "pending", 181)]:
        put(ledger, customer, state, age)
    assert forget(ledger.connection, timedelta(days=180)) == 1
    assert names(ledger) == ["young", "waiting"]


def test_the_history_of_a_deleted_record_goes_with_it(ledger: Database) -> None:
    put(ledger, "old", "rejected", 200)
    ledger.execute(
        "INSERT INTO wolkvox.answer (codification_id, state, attempts) SELECT id, 'failed', 1 FROM wolkvox.codification"
    )
    ledger.execute("INSERT INTO wolkvox.dial (codification_id, dialled_at) SELECT id, now() FROM wolkvox.codification")
    assert forget(ledger.connection, timedelta(days=180)) == 1
    assert ledger.value("SELECT count(*) FROM wolkvox.answer") == 0
    assert ledger.value("SELECT count(*) FROM wolkvox.dial") == 0


def test_the_numbers_of_what_is_deleted_stay(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        put(ledger, "1", "coded", 1_200)
    put(ledger, "1", "rejected", 1_200)
    assert forget(ledger.connection, timedelta(days=1_096)) == 6
    assert ledger.rows("SELECT state, records FROM wolkvox.total ORDER BY 1") == [("coded", 5), ("rejected", 1)]


def test_old_contacts_become_anonymous_and_lose_their_words(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    for n in range(7):
        put(ledger, f"customer-{n}", "coded", 200)
    put(ledger, None, "invalid", 200)
    put(ledger, "young", "coded", 170)
    ledger.execute(
        "INSERT INTO wolkvox.answer (codification_id, state, attempts, response_msg)"
        " SELECT id, 'failed', 1, 'of her' FROM wolkvox.codification"
    )
    keys = ledger.rows("SELECT contact_key FROM wolkvox.codification ORDER BY id")
    assert anonymise(ledger.connection, SECRET, timedelta(days=180)) == 8
    found = names(ledger)
    assert found[:7] == [anonymous(SECRET, "0041", f"customer-{n}") for n in range(7)]
    assert found[7:] == [None, "young"]
    assert ledger.rows(
        "SELECT count(comment), count(response_msg) FROM wolkvox.codification WHERE customer_id <> 'young'"
    ) == [(0, 0)]
    assert ledger.value("SELECT count(response_msg) FROM wolkvox.answer") == 1
    changed = ledger.rows("SELECT contact_key FROM wolkvox.codification ORDER BY id")
    assert [one == other for one, other in zip(keys, changed, strict=True)] == [False] * 8 + [True], (
        "a key is a digest of the id: whoever has the ledger could try ids out"
    )
    assert anonymise(ledger.connection, SECRET, timedelta(days=180)) == 0
    assert anonymise(ledger.connection, SECRET, timedelta(days=160)) == 1


def test_one_that_still_waits_is_not_touched_nor_passed_over(ledger: Database) -> None:
    put(ledger, "first", "coded", 200)
    put(ledger, "waiting", "pending", 200)
    put(ledger, "later", "coded", 200)
    assert anonymise(ledger.connection, SECRET, timedelta(days=180)) == 1
    ledger.execute("UPDATE wolkvox.codification SET state = 'expired', settled_at = staged_at WHERE state = 'pending'")
    assert anonymise(ledger.connection, SECRET, timedelta(days=180)) == 2
    assert all(name and is_anonymous(name) for name in names(ledger))


def test_an_anonymous_form_depends_on_secret_and_operation_and_stays_itself() -> None:
    forms = {anonymous(secret, operation, "1") for secret in ("a", "b") for operation in ("x", "y")}
    assert len(forms) == 4
    assert anonymous("b", "y", anonymous("a", "x", "1")) == anonymous("a", "x", "1")
    assert not is_anonymous("#1")
