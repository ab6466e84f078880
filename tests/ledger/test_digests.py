"""A day's digest follows from that of the day before: what is removed or changed afterwards shows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from conftest import Database
from contact_rows import row
from staged import coded, stage_in, worker

from wolkvox.cli.verify import verify
from wolkvox.errors import BadSetting, Unaccounted
from wolkvox.ledger import digests, retention
from wolkvox.ledger.anonymising import anonymise
from wolkvox.ledger.connection import now_of, sql
from wolkvox.ledger.digests import Verified, digest, verify_digests
from wolkvox.ledger.locks import Lock, lock_session
from wolkvox.ledger.retention import forget
from wolkvox.rules.ages import Ages
from wolkvox.rules.contacts import read_contact
from wolkvox.rules.runs import Resend
from wolkvox.tasks.retention import retire

SECRET = "of the operation"
KEEP = timedelta(days=1_096)
INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, customer_id, state, cod_act, campaign_id, contacted_at, staged_at, sent_at, settled_at,
    direct
)
SELECT
    gen_random_uuid(), '0041', 'customer-' || day || '-' || n, 'coded', '5', '17', moment, moment, moment, moment, true
FROM generate_series(60, 36, -1) AS day, generate_series(1, 4) AS n,
    LATERAL (SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        - day * interval '1 day' + n * interval '5 hours') AS at (moment)
ORDER BY moment
"""


@pytest.fixture
def digested(ledger: Database) -> Database:
    """Twenty-five days of four contacts, digested."""
    ledger.execute(INSERT)
    assert digest(ledger.connection, "0041", SECRET, KEEP)[0] == 25
    return ledger


def check(ledger: Database, secret: str = SECRET) -> Verified:
    return verify_digests(ledger.connection, "0041", secret)


def found(ledger: Database, secret: str = SECRET) -> list[str]:
    return check(ledger, secret).findings


def ages(keep: timedelta = KEEP, anonymise_after: timedelta | None = None) -> Ages:
    return Ages(keep, anonymise_after, timedelta(days=31))


def at(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """The ledger's clock is so far ahead."""
    for module in (digests, retention):
        monkeypatch.setattr(module, "now_of", lambda connection: now_of(connection) + ahead)


def test_every_day_that_is_past_changing_is_digested_once(digested: Database) -> None:
    assert [one.records for one in digests.digests(digested.connection, "0041")] == [4] * 25
    assert digest(digested.connection, "0041", SECRET, KEEP) == (0, digests.digests(digested.connection, "0041")[-1])
    result = check(digested)
    assert (result.findings, result.compared, result.deleted, result.early) == ([], 25, 0, 0)


def test_the_first_digest_begins_the_chain_and_each_other_one_follows(digested: Database) -> None:
    chain = digests.digests(digested.connection, "0041")
    assert chain[0].previous is None
    assert [one.previous for one in chain[1:]] == [one.digest for one in chain[:-1]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("DELETE FROM wolkvox.codification WHERE id = (SELECT min(id) + 50 FROM wolkvox.codification)", "3 are there"),
        ("UPDATE wolkvox.codification SET state = 'failed' WHERE customer_id = 'customer-40-2'", "not the same"),
        ("UPDATE wolkvox.codification SET sent_at = sent_at - interval '3 hours'", "not the same"),
        (
            "UPDATE wolkvox.daily_digest SET digest = sha256('x')"
            " WHERE day = (SELECT max(day) - 3 FROM wolkvox.daily_digest)",
            "changed",
        ),
        (
            "DELETE FROM wolkvox.daily_digest WHERE day = (SELECT max(day) - 3 FROM wolkvox.daily_digest)",
            "on, have no digest",
        ),
        (
            "DELETE FROM wolkvox.daily_digest WHERE day < (SELECT max(day) - 3 FROM wolkvox.daily_digest)",
            "not the first day",
        ),
        ("DELETE FROM wolkvox.daily_digest", "have no digest. Their digests were removed, or retention does not run"),
    ],
)
def test_whatever_is_removed_added_or_changed_afterwards_shows(digested: Database, change: str, sentence: str) -> None:
    digested.execute(change)
    assert sentence in " ".join(found(digested))


def test_anonymous_contacts_are_still_what_was_digested(digested: Database) -> None:
    digested.execute("UPDATE wolkvox.codification SET channel = 'whatsapp', comment = 'hers', response_msg = 'of her'")
    digested.execute("DELETE FROM wolkvox.daily_digest")
    digest(digested.connection, "0041", SECRET, KEEP)
    assert anonymise(digested.connection, SECRET, timedelta(days=40)).done > 50
    assert found(digested) == []
    digested.execute("DELETE FROM wolkvox.codification WHERE starts_with(customer_id, '#') AND mod(id, 7) = 0")
    assert found(digested)


@pytest.mark.parametrize(
    "odd",
    [
        "state = 'invalid', campaign_id = 'ana@example.com'",
        "channel = '+573001234567'",
        "state = 'invalid', type_campaign = 'ana'",
    ],
)
def test_odd_columns_that_were_emptied_are_no_finding(ledger: Database, odd: str) -> None:
    ledger.execute(INSERT)
    ledger.execute(f"UPDATE wolkvox.codification SET {odd}")
    digest(ledger.connection, "0041", SECRET, KEEP)
    assert anonymise(ledger.connection, SECRET, timedelta(days=36)).done > 90
    assert found(ledger) == []


def test_without_the_secret_nobody_can_make_a_digest_that_fits(digested: Database) -> None:
    assert len(found(digested, "another")) == 50
    anonymise(digested.connection, SECRET, timedelta(days=36))
    digested.execute(
        "DELETE FROM wolkvox.codification WHERE customer_id = (SELECT min(customer_id) FROM"
        " wolkvox.codification); DELETE FROM wolkvox.daily_digest"
    )
    digest(digested.connection, "0041", "a guess", KEEP)
    assert len([one for one in found(digested) if "its digest was changed" in one]) == 25


def test_what_retention_deleted_is_part_of_the_chain(digested: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, timedelta(days=5))
    keep = timedelta(days=50)
    assert digest(digested.connection, "0041", SECRET, keep)[0] == 5
    assert 50 < forget(digested.connection, keep) < 90
    result = check(digested)
    assert (result.findings, result.compared + result.deleted) == ([], 30)
    assert result.deleted in (15, 16)
    digested.execute("UPDATE wolkvox.daily_digest SET deleted_before = now()")
    assert found(digested)


def test_however_short_contacts_are_kept_each_day_that_is_there_is_compared(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.execute(INSERT)
    keep = timedelta(days=45)
    digest(ledger.connection, "0041", SECRET, keep)
    forget(ledger.connection, keep)
    assert check(ledger).compared in (8, 9)
    ledger.execute("DELETE FROM wolkvox.codification WHERE starts_with(customer_id, 'customer-40')")
    assert "4 contacts were digested, 0 are there now" in found(ledger)[0]


def test_retention_deletes_nothing_before_a_digest_says_so(digested: Database) -> None:
    assert forget(digested.connection, timedelta(days=40)) == 0, "the last digest allows three years"


def test_a_deletion_that_is_killed_on_the_way_is_told_from_what_is_missing(
    ledger: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.execute(INSERT)
    digest(ledger.connection, "0041", SECRET, timedelta(days=40))
    monkeypatch.setattr(retention, "BATCH", 10)
    asked = iter([sql("forget"), sql("forget"), "SELECT 1 / 0"])
    monkeypatch.setattr(retention, "sql", lambda _: next(asked))
    with pytest.raises(psycopg.errors.DivisionByZero):
        forget(ledger.connection, timedelta(days=40))
    assert ledger.value("SELECT count(*) FROM wolkvox.codification") == 80
    assert found(ledger) == []


def test_what_waited_for_months_before_it_was_settled_is_no_finding_once_it_is_deleted(ledger: Database) -> None:
    ledger.execute(INSERT)
    ledger.execute("UPDATE wolkvox.codification SET staged_at = staged_at - interval '110 days'")
    keep = timedelta(days=50)
    digest(ledger.connection, "0041", SECRET, keep)
    forget(ledger.connection, keep)
    assert found(ledger) == []


def test_verify_looks_again_before_it_accuses(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger.execute(INSERT)
    digest(ledger.connection, "0041", SECRET, timedelta(days=60))
    at(monkeypatch, timedelta(days=3))
    contents = digests._contents

    def meanwhile(*asked: object) -> tuple[int, bytes]:
        monkeypatch.setattr(digests, "_contents", contents)
        digest(ledger.connection, "0041", SECRET, timedelta(days=40))
        forget(ledger.connection, timedelta(days=40))
        return contents(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(digests, "_contents", meanwhile)
    result = check(ledger)
    assert result.findings == []
    assert result.deleted > 15


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=60), timedelta(days=400)])
def test_a_clock_that_was_ahead_once_accuses_nobody(
    digested: Database, monkeypatch: pytest.MonkeyPatch, ahead: timedelta
) -> None:
    keep = timedelta(days=90)
    with monkeypatch.context() as patch:
        at(patch, ahead)
        assert digest(digested.connection, "0041", SECRET, keep)[0] == ahead.days
        forget(digested.connection, keep)
    result = check(digested)
    assert (result.findings, result.early) == ([], ahead.days), "before the next night"
    digested.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, state, settled_at)"
        " SELECT gen_random_uuid(), '0041', 'coded', now() + n * interval '1 day' FROM generate_series(-35, 0) AS n"
    )
    assert digest(digested.connection, "0041", SECRET, keep)[0] == 0
    assert (found(digested), check(digested).early) == ([], 0)
    for nights in range(1, 4):
        at(monkeypatch, timedelta(days=nights))
        assert digest(digested.connection, "0041", SECRET, keep)[0] == 1
        assert found(digested) == []


def test_what_a_clock_ahead_deleted_can_not_be_said_of_a_digest_that_somebody_made(digested: Database) -> None:
    digested.execute(
        "INSERT INTO wolkvox.daily_digest (operation, day, records, contents, deleted_before, previous, digest)"
        " SELECT operation, day + 1, 0, contents, now(), digest, digest FROM wolkvox.daily_digest"
        " WHERE day = (SELECT max(day) FROM wolkvox.daily_digest)"
    )
    digested.execute("DELETE FROM wolkvox.codification WHERE customer_id = 'customer-40-2'")
    digest(digested.connection, "0041", SECRET, KEEP)
    assert "4 contacts were digested, 3 are there now" in " ".join(found(digested))


def test_no_digest_is_made_upon_one_that_was_changed(digested: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    digested.execute(
        "UPDATE wolkvox.daily_digest SET deleted_before = now() WHERE day = (SELECT max(day) FROM wolkvox.daily_digest)"
    )
    at(monkeypatch, timedelta(days=5))
    with pytest.raises(Unaccounted, match=r"was changed\. Run `python -m wolkvox verify`"):
        digest(digested.connection, "0041", SECRET, KEEP)


def test_what_is_offered_again_stays_as_it_was_digested(ledger: Database) -> None:
    """Where contacts are sent for longer than a month, or were dated ahead: a record of its own is sent."""
    contact = read_contact(
        row(contacted_at=datetime.now(timezone.utc) - timedelta(days=50)), operation="0041", zone=timezone.utc
    )
    stage_in(ledger.connection, [contact], expire_after=timedelta(days=90))
    ledger.execute(
        "UPDATE wolkvox.codification SET state = 'rejected', response_code = '422', sent_at = contacted_at,"
        " staged_at = contacted_at, settled_at = contacted_at, attempts = 1"
    )
    digest(ledger.connection, "0041", SECRET, KEEP)
    now = datetime.now(timezone.utc)
    staged = stage_in(
        ledger.connection,
        [contact],
        "again",
        expire_after=timedelta(days=90),
        resend=Resend("rejected", now - timedelta(days=60), now),
        by_hand=True,
    )
    assert (staged.known, staged.reopened, staged.records) == (1, 1, 1)
    with worker(ledger, staged.chunks[0]) as session:
        (record,) = session.take(20)
        session.advance(None, record.id)
        session.advance(coded(record.id), None)
    assert ledger.rows("SELECT state, response_code FROM wolkvox.codification ORDER BY id") == [
        ("rejected", "422"),
        ("coded", "202"),
    ]
    assert found(ledger) == []
    assert stage_in(ledger.connection, [contact], "later").known == 1
    whenever = Resend("rejected", now - timedelta(days=60), now)
    once_more = stage_in(ledger.connection, [contact], "once more", expire_after=timedelta(days=90), resend=whenever)
    assert (once_more.reopened, once_more.records) == (0, 0), "it was coded since"


@pytest.mark.parametrize("noted", ["now()", "now() - interval '1 day'", "now() + interval '1 year'"])
def test_a_dial_that_an_export_shows_after_the_digest_is_no_finding(digested: Database, noted: str) -> None:
    digested.execute(
        "INSERT INTO wolkvox.dial (codification_id, dialled_at, noted_at)"
        f" SELECT id, now(), {noted} FROM wolkvox.codification WHERE customer_id = 'customer-40-2'"
    )
    assert found(digested) == []


def test_the_command_says_what_is_as_it_was_and_what_is_not(
    digested: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("wolkvox.cli.verify.known_secret", lambda: SECRET)
    assert retire("wolkvox_ledger", ages(), lambda: SECRET, str).complaints == []
    assert verify("wolkvox_ledger") == 0
    out = capsys.readouterr().out
    assert out.startswith("ok   0041: 25 days, ")
    assert "25 of them compared with their contacts; last digest" in out
    digested.execute("DELETE FROM wolkvox.codification WHERE customer_id = 'customer-40-2'")
    assert verify("wolkvox_ledger") == 1
    assert "4 contacts were digested, 3 are there now" in capsys.readouterr().out
    another = "holds another secret than the one that made the digests"
    for secret, message in ((None, "is missing"), ("another", another)):
        monkeypatch.setattr("wolkvox.cli.verify.known_secret", lambda secret=secret: secret)
        assert verify("wolkvox_ledger") == 1
        assert capsys.readouterr().out == (
            f"FAIL the Airflow variable 'wolkvox_evidence_secret' {message}: nothing can be compared."
            " Put the old one back.\n"
        )


def none() -> str:
    raise AssertionError("no secret is to be made")


@pytest.mark.parametrize(("secret", "message"), [(None, "is missing"), ("another", "holds another secret than before")])
@pytest.mark.parametrize("made", ["digests", "anonymous customers"])
def test_without_its_secret_retention_does_nothing_and_says_what_to_do(
    ledger: Database, secret: str | None, message: str, made: str
) -> None:
    ledger.execute(INSERT)
    if made == "anonymous customers":
        ledger.execute("UPDATE wolkvox.codification SET operation = 'closed'")
    assert (
        retire("wolkvox_ledger", ages(anonymise_after=timedelta(days=50)), lambda: None, lambda: SECRET).digested == 25
    )
    if made == "anonymous customers":
        ledger.execute("DELETE FROM wolkvox.daily_digest")
    before = ledger.rows("SELECT * FROM wolkvox.codification ORDER BY id")
    with pytest.raises(BadSetting, match=message) as error:
        retire("wolkvox_ledger", ages(timedelta(days=37), timedelta(days=36)), lambda: secret, none)
    assert "Put it back from your copy" in str(error.value)
    assert ledger.rows("SELECT * FROM wolkvox.codification ORDER BY id") == before
    begin_anew = str(error.value).partition("in the ledger's database: ")[2]
    ledger.execute(begin_anew)
    assert retire("wolkvox_ledger", ages(), lambda: None, lambda: "a new one").digested == 25
    assert found(ledger, "a new one") == []


def test_two_nights_at_once_are_one(ledger: Database) -> None:
    ledger.execute(INSERT)
    with psycopg.connect(ledger.uri) as other:
        assert lock_session(other, Lock.RETENTION, "ledger")
        done = retire("wolkvox_ledger", ages(), lambda: SECRET, none)
        assert (done.digested, done.complaints) == (0, [])
    assert retire("wolkvox_ledger", ages(), lambda: SECRET, none).digested == 25


@pytest.mark.parametrize("step", ["tidy", "operations", "anonymise"])
def test_what_one_step_of_a_night_meets_keeps_no_other_from_its_work(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ledger.execute(INSERT)
    retire("wolkvox_ledger", ages(timedelta(days=40)), lambda: SECRET, none)
    ledger.execute(INSERT)
    ledger.execute("UPDATE wolkvox.codification SET operation = 'other', settled_at = settled_at - interval '1 year'")

    def broken(connection: psycopg.Connection[tuple[object, ...]], *_: object) -> None:
        connection.execute("SELECT 1 / 0")

    monkeypatch.setattr(f"wolkvox.tasks.retention.{step}", broken)
    done = retire("wolkvox_ledger", ages(timedelta(days=40), timedelta(days=36)), lambda: SECRET, none)
    assert done.deleted >= 80, "four or five in a day, by the hour at which this runs"
    assert "The ledger refused" in done.complaints[0]


@pytest.mark.parametrize(
    "short",
    [ages(timedelta(days=35)), ages(KEEP, timedelta(days=35)), Ages(KEEP, timedelta(days=60), timedelta(days=60))],
)
def test_contacts_that_may_still_change_are_left_alone(ledger: Database, short: Ages) -> None:
    with pytest.raises(BadSetting, match=r"must be at least (36|61) days: younger contacts may change"):
        retire("wolkvox_ledger", short, lambda: SECRET, none)
