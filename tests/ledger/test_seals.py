"""A day's digest follows from the day before: what is removed or changed afterwards shows, what retention does not."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from conftest import Database

from wolkvox.ledger import retention
from wolkvox.ledger.connection import sql
from wolkvox.ledger.retention import anonymise, forget
from wolkvox.ledger.seals import broken, seal, seals
from wolkvox.verify import verify

SECRET = "of the operation"
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, customer_id, state, cod_act, campaign_id, contacted_at, staged_at, settled_at, direct
)
SELECT gen_random_uuid(), '0041', 'customer-' || day || '-' || n, 'coded', '5', '17', moment, moment, moment, true
FROM generate_series(60, 36, -1) AS day, generate_series(1, 4) AS n,
    LATERAL (SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        - day * interval '1 day' + n * interval '5 hours') AS at (moment)
ORDER BY moment
"""


@pytest.fixture
def sealed(ledger: Database) -> Database:
    """Twenty-five days of four contacts, sealed."""
    ledger.execute(INSERT)
    assert seal(ledger.connection, "0041", SECRET)[0] == 25
    return ledger


def found(ledger: Database, secret: str = SECRET) -> list[str]:
    return list(broken(ledger.connection, "0041", secret))


def test_every_day_that_is_past_changing_is_sealed_once(sealed: Database) -> None:
    assert [one.records for one in seals(sealed.connection, "0041")] == [4] * 25
    assert seal(sealed.connection, "0041", SECRET) == (0, seals(sealed.connection, "0041")[-1])
    assert found(sealed) == []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM wolkvox.codification WHERE id = (SELECT min(id) + 50 FROM wolkvox.codification)",
        "UPDATE wolkvox.codification SET state = 'failed' WHERE customer_id = 'customer-40-2'",
        "UPDATE wolkvox.codification SET settled_at = settled_at + interval '1 second'"
        " WHERE customer_id = 'customer-40-2'",
        "UPDATE wolkvox.codification SET customer_id = 'somebody' WHERE customer_id = 'customer-40-2'",
        "UPDATE wolkvox.codification SET direct = NULL WHERE customer_id = 'customer-40-2'",
        "INSERT INTO wolkvox.codification (contact_key, operation, state, settled_at, staged_at)"
        " SELECT gen_random_uuid(), operation, 'coded', settled_at, staged_at FROM wolkvox.codification LIMIT 1",
        "UPDATE wolkvox.seal SET digest = sha256('x') WHERE day = (SELECT max(day) - 3 FROM wolkvox.seal)",
        "DELETE FROM wolkvox.seal WHERE day = (SELECT max(day) - 3 FROM wolkvox.seal)",
    ],
)
def test_whatever_is_removed_added_or_changed_afterwards_shows(sealed: Database, change: str) -> None:
    sealed.execute(change)
    assert found(sealed)


def test_a_day_and_all_that_was_sealed_of_it_can_not_go_together(sealed: Database) -> None:
    day = sealed.value("SELECT max(day) - 3 FROM wolkvox.seal")
    sealed.execute("DELETE FROM wolkvox.codification WHERE (settled_at AT TIME ZONE 'UTC')::date = %s", day)
    sealed.execute("DELETE FROM wolkvox.seal WHERE day = %s", day)
    (sentence,) = found(sealed)
    assert f"from {day} on, have no seal" in sentence


def test_anonymous_contacts_are_still_what_was_sealed(sealed: Database) -> None:
    assert anonymise(sealed.connection, SECRET, timedelta(days=40)) > 50
    assert found(sealed) == []
    sealed.execute("DELETE FROM wolkvox.codification WHERE starts_with(customer_id, '#') AND mod(id, 7) = 0")
    assert found(sealed)


def test_without_the_secret_nobody_can_make_a_seal_that_fits(sealed: Database) -> None:
    assert len(found(sealed, "another")) == 25


def test_what_retention_deleted_is_not_missing_and_the_chain_goes_on(sealed: Database) -> None:
    sealed.execute(
        "UPDATE wolkvox.codification SET staged_at = staged_at - interval '3 years', settled_at = settled_at"
        " - interval '3 years'; UPDATE wolkvox.seal SET day = day - 1096"
    )
    assert forget(sealed.connection, timedelta(days=1_000)) == 100
    assert found(sealed) == []
    sealed.execute("UPDATE wolkvox.seal SET previous = NULL WHERE day = (SELECT max(day) FROM wolkvox.seal)")
    assert "doesn't follow from the one of the day before" in found(sealed)[0]


def test_a_deletion_that_is_killed_on_the_way_is_told_from_what_is_missing(
    sealed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed.execute(
        "UPDATE wolkvox.codification SET staged_at = staged_at - interval '3 years', settled_at = settled_at"
        " - interval '3 years'; UPDATE wolkvox.seal SET day = day - 1096"
    )
    monkeypatch.setattr(retention, "BATCH", 10)
    statement = sql("forget")
    asked = iter([statement, statement, "SELECT 1 / 0"])
    monkeypatch.setattr(retention, "sql", lambda _: next(asked))
    with pytest.raises(psycopg.errors.DivisionByZero):
        forget(sealed.connection, timedelta(days=1_000))
    assert sealed.value("SELECT count(*) FROM wolkvox.codification") == 80
    assert found(sealed) == []


def test_the_command_says_what_is_as_it_was_and_what_is_not(
    sealed: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("wolkvox.verify.known_secret", lambda: SECRET)
    assert verify("wolkvox_ledger") == 0
    assert capsys.readouterr().out.startswith("ok   0041: 25 days, ")
    sealed.execute("DELETE FROM wolkvox.codification WHERE customer_id = 'customer-40-2'")
    assert verify("wolkvox_ledger") == 1
    assert "4 contacts were sealed, 3 are there now" in capsys.readouterr().out
    monkeypatch.setattr("wolkvox.verify.known_secret", lambda: None)
    assert verify("wolkvox_ledger") == 1
    assert "can't be compared without the Airflow variable 'wolkvox_evidence_secret'" in capsys.readouterr().out
