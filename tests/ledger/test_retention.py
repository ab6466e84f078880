"""Old contacts are anonymous, then gone; their numbers stay, and whoever has an id still finds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from conftest import Database
from contact_rows import row
from staged import stage_in

from wolkvox.ledger import anonymising, retention
from wolkvox.ledger.anonymising import anonymise
from wolkvox.ledger.connection import clock
from wolkvox.ledger.retention import expire, forget
from wolkvox.ledger.staging import load
from wolkvox.rules.anonymity import anonymous, impersonal, is_anonymous
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.runs import Resend, Run

SECRET = "of the operation"
MONTH, HALF_A_YEAR = timedelta(days=31), timedelta(days=180)
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, customer_id, state, staged_at, settled_at, comment, response_msg
)
SELECT
    gen_random_uuid(), '0041', customer, state, moment, CASE WHEN state <> 'pending' THEN moment END, 'hers', 'of her'
FROM (SELECT %s AS customer, %s AS state, now() - %s * interval '1 day' AS moment) AS at
"""
NAMES = "SELECT customer_id FROM wolkvox.codification ORDER BY id"
NOW = datetime.now(timezone.utc)


def put(ledger: Database, customer: str | None, state: str, age: float) -> None:
    ledger.execute(INSERT, customer, state, age)


def names(ledger: Database) -> list[str | None]:
    return [name for (name,) in ledger.rows(NAMES)]


def states(ledger: Database) -> list[str]:
    return [state for (state,) in ledger.rows("SELECT state FROM wolkvox.codification ORDER BY id")]


def contact(age: timedelta, customer: str = "1001") -> Contact:
    values = row(contacted_at=NOW - age, customer_id=customer, campaign_id="17")
    return read_contact(values, operation="0041", zone=timezone.utc)


@contextmanager
def locked(ledger: Database, customer: str) -> Iterator[None]:
    """Somebody else holds a customer's rows locked meanwhile."""
    with psycopg.connect(ledger.uri) as other:
        other.execute("SELECT FROM wolkvox.codification WHERE customer_id = %s FOR UPDATE", (customer,))
        yield


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


def test_old_contacts_become_anonymous_and_lose_their_words(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
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
        monkeypatch.setattr(anonymising, "clock", lambda connection: clock(connection) + timedelta(days=days))
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


ODD = {
    "an e-mail address as campaign": {"campaign_id": "ana.perez@example.com"},
    "a document as code": {"cod_act": "1023456789", "reason": "cod_act_unknown"},
    "a telephone number as second code": {"cod_act_2": "+57 300 123 45 67"},
    "a name as type": {"type_campaign": "ana perez"},
    "an e-mail address as channel": {"channel": "ana@example.com"},
    "a document as campaign": {"campaign_id": "1023456789"},
}


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


@pytest.mark.parametrize("columns", ODD.values(), ids=list(ODD))
def test_totals_hold_nothing_of_odd_columns_either(ledger: Database, columns: dict[str, str]) -> None:
    put(ledger, None, "invalid", 200)
    for name, value in columns.items():
        ledger.execute(f"UPDATE wolkvox.codification SET {name} = %s", value)
    assert forget(ledger.connection, HALF_A_YEAR) == 1
    assert next(iter(columns.values())) not in str(ledger.rows("SELECT * FROM wolkvox.monthly_total"))


@pytest.mark.parametrize(
    ("state", "channel", "kept"),
    [("coded", "WhatsApp", True), ("coded", "+57 300-123-4567", False), ("rejected", "ana@example.com", False)],
)
def test_a_channel_is_kept_unless_it_may_tell_of_a_person(state: str, channel: str, kept: bool) -> None:
    columns = ("preview", "15509", "141", None, channel)
    assert impersonal(state, columns) == (*columns[:4], channel if kept else None)


def test_an_anonymous_form_depends_on_secret_and_operation_and_stays_itself() -> None:
    forms = {anonymous(secret, operation, "1") for secret in ("a", "b") for operation in ("x", "y")}
    assert len(forms) == 4
    assert anonymous("b", "y", anonymous("a", "x", "1")) == anonymous("a", "x", "1")
    assert not is_anonymous("#1")
