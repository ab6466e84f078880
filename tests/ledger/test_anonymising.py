"""Old contacts become anonymous; a person with the secret and an id still finds them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import Database
from old_contacts import HALF_A_YEAR, MONTH, NOW, ODD, SECRET, contact, locked, names, put, states
from staged import stage_in

from wolkvox.ledger import anonymising
from wolkvox.ledger.anonymising import anonymise
from wolkvox.ledger.connection import now_of
from wolkvox.ledger.retention import forget
from wolkvox.ledger.staging import load
from wolkvox.rules.anonymity import anonymous, is_anonymous
from wolkvox.rules.runs import Resend, Run


def test_old_contacts_become_anonymous_and_lose_their_texts(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anonymising, "BATCH", 3)
    for n in range(7):
        put(ledger, f"customer-{n}", "coded", 200)
    put(ledger, None, "invalid", 200)
    put(ledger, "young", "coded", 170)
    ledger.execute(
        "INSERT INTO wolkvox.answer (codification_id, state, attempts, response_msg)"
        " SELECT id, 'failed', 1, 'of her' FROM wolkvox.codification"
    )
    keys = ledger.rows("SELECT contact_key FROM wolkvox.codification ORDER BY id")
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (8, 0)
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
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (0, 0)
    assert anonymise(ledger.connection, SECRET, timedelta(days=160)) == (1, 0)


@pytest.mark.parametrize(
    "stuck",
    [
        "state = 'pending', settled_at = NULL, operation = 'closed'",
        "state = 'sending', settled_at = NULL, sent_at = now() - interval '300 days', slot = 'ab/0'",
        "contacted_at = now() + interval '1 year', state = 'pending', settled_at = NULL",
        "contacted_at = now() + interval '100 days'",
        "staged_at = now() + interval '60 days', settled_at = now() + interval '60 days'",
    ],
    ids=["an operation that is closed", "a task that died", "waits, dated ahead", "coded, dated ahead", "clock ahead"],
)
def test_whatever_can_not_become_anonymous_yet_holds_up_no_other_contact(ledger: Database, stuck: str) -> None:
    for customer in ("stuck", "later", "last"):
        put(ledger, customer, "coded", 200)
    ledger.execute(f"UPDATE wolkvox.codification SET {stuck} WHERE customer_id = 'stuck'")
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (2, 0)
    assert [name and is_anonymous(name) for name in names(ledger)] == [False, True, True]
    ledger.execute(
        "UPDATE wolkvox.codification SET state = 'expired', contacted_at = now() - interval '190 days',"
        " settled_at = coalesce(least(settled_at, now() - interval '181 days'), now() - interval '20 hours')"
        " WHERE customer_id = 'stuck'"
    )
    assert anonymise(ledger.connection, SECRET, timedelta(hours=19)) == (1, 0), "it comes back to it"
    assert forget(ledger.connection, timedelta(hours=19)) == 3


@pytest.mark.parametrize("ahead", [181, 190, 400])
def test_a_clock_that_was_ahead_once_passes_over_nobody(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    def night(days: int) -> int:
        monkeypatch.setattr(anonymising, "now_of", lambda connection: now_of(connection) + timedelta(days=days))
        return anonymise(ledger.connection, SECRET, HALF_A_YEAR).done

    put(ledger, "yesterday", "coded", 1)
    assert night(ahead) == 1
    for hours in (1, 20, 60, 130):
        put(ledger, f"after {hours} hours", "coded", -hours / 24)
    assert night(0) == 0
    assert night(ahead + 200) == 4


def test_a_row_that_somebody_holds_locked_is_told_and_done_the_next_night(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for customer in ("first", "second", "third"):
        put(ledger, customer, "coded", 200)
    with locked(ledger, "second"):
        assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (2, 1)
        assert forget(ledger.connection, HALF_A_YEAR) == 2
    assert names(ledger) == ["second"]
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (1, 0)
    assert forget(ledger.connection, HALF_A_YEAR) == 1


def test_a_contact_that_is_pulled_again_after_it_became_anonymous_is_known(ledger: Database) -> None:
    old = [contact(timedelta(days=200 + n), f"customer-{n}") for n in range(5)]
    load(ledger.connection, old, Run("0041", "dag", "run"))
    ledger.execute("UPDATE wolkvox.codification SET state = 'coded', settled_at = contacted_at")
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (5, 0)
    fresh = contact(timedelta(days=1), "fresh")
    staged = load(ledger.connection, [*old, fresh], Run("0041", "dag", "again"), lambda: SECRET)
    assert (staged.pulled, staged.known, staged.new) == (6, 5, 1)
    assert states(ledger) == ["coded"] * 5 + ["pending"]


def test_fresh_contacts_ask_for_no_secret(ledger: Database) -> None:
    def refused() -> str:
        raise AssertionError

    assert load(ledger.connection, [contact(timedelta(days=30))], Run("0041", "dag", "run"), refused).new == 1


def test_a_contact_that_came_twice_while_nobody_knew_the_secret_becomes_anonymous_twice(ledger: Database) -> None:
    old = contact(timedelta(days=300))
    for age in (290, 200):
        stage_in(ledger.connection, [old], expire_after=MONTH)
        ledger.execute(
            "UPDATE wolkvox.codification SET settled_at = now() - %s * interval '1 day' WHERE customer_id = '1001'", age
        )
        assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (1, 0)
    assert names(ledger) == [anonymous(SECRET, "0041", "1001")] * 2
    assert forget(ledger.connection, HALF_A_YEAR) == 2


def test_an_anonymous_customer_is_not_offered_again(ledger: Database) -> None:
    ahead = contact(timedelta(days=-400))
    load(ledger.connection, [ahead], Run("0041", "dag", "run"))
    ledger.execute(
        "UPDATE wolkvox.codification SET state = 'rejected', settled_at = now() - interval '600 days',"
        " staged_at = now() - interval '600 days'"
    )
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (1, 0), "a date a year ahead of its settlement is none"
    ledger.execute("UPDATE wolkvox.codification SET contacted_at = now() - interval '1 day'")
    resend = Resend("rejected", NOW - timedelta(days=9), NOW + timedelta(days=9))
    assert stage_in(ledger.connection, [], resend=resend).reopened == 0
    assert states(ledger) == ["rejected"]


@pytest.mark.parametrize("columns", ODD.values(), ids=list(ODD))
def test_odd_columns_of_an_invalid_contact_hold_nothing_of_a_person_afterwards(
    ledger: Database, columns: dict[str, str]
) -> None:
    put(ledger, None, "invalid", 200)
    for name, value in columns.items():
        ledger.execute(f"UPDATE wolkvox.codification SET {name} = %s", value)
    personal = next(iter(columns.values()))
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (1, 0)
    assert personal not in str(ledger.rows("SELECT * FROM wolkvox.codification"))
    assert anonymise(ledger.connection, SECRET, HALF_A_YEAR) == (0, 0)
