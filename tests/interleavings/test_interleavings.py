"""Every order in which two writers' statements can meet in the ledger ends as its file in expected/ says."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import isolation
import pytest
from conftest import Database
from isolation import Orders, Session, bound, in_every_order, statement

from wolkvox.ledger.locks import Lock

EXPECTED = Path(__file__).parent / "expected"
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)
OPERATION = "0041"
WHOSE = {"operation": OPERATION, "dag_id": "dag", "dag_run_id": "run"}
DAY = "2026-03-02"
TOKEN = 7

ROWS = f"""
INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, window_start, window_end)
VALUES ('{OPERATION}', 'dag', 'run', now(), now());
INSERT INTO wolkvox.slot (slot, operation, lock_class, lock_number, host, pid, taken_at)
SELECT 'token/' || number, '{OPERATION}', {TOKEN}, number, 'here', 1, now() FROM generate_series(0, 1) AS number;
INSERT INTO wolkvox.codification (
    id, contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, settled_at, slot,
    sent_at, attempts, chunk_id
)
OVERRIDING SYSTEM VALUE
SELECT
    id, gen_random_uuid(), '{OPERATION}', 'preview', campaign, customer, code, now() - age * interval '1 hour', state,
    CASE WHEN state NOT IN ('pending', 'sending') THEN now() - age * interval '1 hour' END,
    CASE WHEN state = 'sending' THEN 'token/0' END,
    CASE WHEN state = 'sending' THEN now() - interval '5 minutes' END,
    CASE WHEN state = 'pending' THEN 0 ELSE 1 END,
    CASE WHEN state <> 'pending' THEN 'chunk' END
FROM (VALUES %s) AS given (id, campaign, customer, code, age, state);
"""
STATES = """
SELECT string_agg(format('%s %s%s', id, state, coalesce(' ' || reason, '')), ', ' ORDER BY id) FROM wolkvox.codification
"""


def rows(*records: str) -> str:
    """The rows of an operation with two slots and these records: id, campaign, customer, code, hours of age, state."""
    return ROWS % ", ".join(records)


def lock(kind: Lock) -> str:
    """Wait for a lock of the operation, up to the end of the transaction."""
    return f"SELECT pg_advisory_xact_lock({kind.value}, hashtext('{OPERATION}'))"


def holding(slot: int) -> str:
    """Own a slot of the token."""
    return f"SELECT pg_advisory_lock({TOKEN}, {slot})"


def take(ledger: Database, slot: int, most: int = 2) -> list[str]:
    """A worker takes the newest records, as it does: behind a lock, noted in its slot."""
    newest = statement(
        ledger,
        "take",
        operation=OPERATION,
        slot=f"token/{slot}",
        made_at=LONG_AGO,
        exports=False,
        kept=[],
        most=most,
    )
    note = f"UPDATE wolkvox.slot SET taken = ARRAY(SELECT id FROM ({newest}) AS newest) WHERE slot = 'token/{slot}'"
    return ["BEGIN", lock(Lock.TAKE), note, "COMMIT"]


def advance(slot: int, *, settle: int | None = None, mark: int | None = None) -> str:
    """A worker settles a record as coded and marks the next one as being sent, in one statement."""
    head, _, text = isolation.text_of("prepare_advance").partition(" AS\n")
    types = [one.strip() for one in head.partition("(")[2].rpartition(")")[0].split(",")]
    own = f"'{{token/{slot}}}'"
    values = [
        settle,
        "'coded'",
        None,
        "'202'",
        None,
        0,
        mark,
        "'chunk'",
        f"'token/{slot}'",
        own,
        None,
        "'dag'",
        "'run'",
        1,
    ]
    for number, (kind, value) in reversed(list(enumerate(zip(types, values, strict=True), start=1))):
        text = text.replace(f"${number}", f"({'NULL' if value is None else value}::{kind})")
    return text


Spec = Callable[[Database], tuple[list[Session], str, str]]


def take_and_take(ledger: Database) -> tuple[list[Session], str, str]:
    """Two workers take at the same time: no record is taken twice, the newest go first."""
    sessions = [Session(take(ledger, slot), [holding(slot)], locks=1) for slot in (0, 1)]
    records = [f"({n}, '17', 'c{n}', '5', {n}, 'pending')" for n in range(1, 5)]
    outcome = (
        "SELECT format('taken %s, twice %s', count(id), count(id) - count(DISTINCT id))"
        " FROM wolkvox.slot LEFT JOIN LATERAL unnest(taken) AS id ON true"
    )
    return sessions, rows(*records), outcome


def advance_and_advance(ledger: Database) -> tuple[list[Session], str, str]:
    """Two workers mark one record: one of them sends it."""
    sessions = [Session([advance(slot, mark=1)], [holding(slot)]) for slot in (0, 1)]
    outcome = (
        "SELECT format('marked by %s, sent as attempt %s', sum(records), min(attempts))"
        " FROM test.changed CROSS JOIN wolkvox.codification WHERE name IN ('s0_0', 's1_0')"
    )
    return sessions, rows("(1, '17', 'c', '5', 1, 'pending')"), outcome


def advance_and_requeue(ledger: Database) -> tuple[list[Session], str, str]:
    """An answer is written while another worker takes its sender for dead: what is settled stays settled."""
    orphans = statement(ledger, "requeue_orphans", slot="token/0", own=[], silence=timedelta(seconds=65))
    sessions = [
        Session(["BEGIN", advance(0, settle=1), "COMMIT"], locks=1),
        Session(["BEGIN", orphans, "COMMIT"], locks=1),
    ]
    return sessions, rows("(1, '17', 'c', '5', 1, 'sending')"), STATES


def supersede_and_advance(ledger: Database) -> tuple[list[Session], str, str]:
    """A later contact comes in while a worker marks the earlier one: it is superseded or sent, never both."""
    supersede = statement(ledger, "supersede", mark=1, **WHOSE)
    sessions = [
        Session(["BEGIN", supersede, "COMMIT"], locks=1),
        Session(["BEGIN", advance(0, mark=1), "COMMIT"], [holding(0)], locks=1),
    ]
    records = rows("(1, '17', 'c', '5', 2, 'pending')", "(2, '17', 'c', '6', 1, 'pending')")
    return sessions, records, STATES


def expire_and_advance(ledger: Database) -> tuple[list[Session], str, str]:
    """Retention expires a record that a worker marks: it is expired or sent, never both."""
    expire = statement(ledger, "expire_overdue", expire_after=timedelta(days=31), batch=10)
    sessions = [
        Session(["BEGIN", expire, "COMMIT"], locks=1, waits=False),
        Session(["BEGIN", advance(0, mark=1), "COMMIT"], [holding(0)], locks=1),
    ]
    ages = "; UPDATE wolkvox.codification SET staged_at = contacted_at;"
    return sessions, rows("(1, '17', 'c', '5', 800, 'pending')").rstrip().rstrip(";") + ages, STATES


def suspend_and_take(ledger: Database) -> tuple[list[Session], str, str]:
    """A campaign is suspended while a worker takes: its records are taken before, or not at all."""
    suspend = statement(
        ledger,
        "suspend",
        operation=OPERATION,
        type_campaign="preview",
        campaign_id="17",
        reason="refused_422",
        message="no",
        pause=timedelta(minutes=15),
    )
    sessions = [Session([suspend]), Session(take(ledger, 0), [holding(0)])]
    records = rows("(1, '17', 'c', '5', 1, 'pending')", "(2, '18', 'd', '5', 2, 'pending')")
    outcome = (
        "SELECT format('taken %s, suspended %s', (SELECT taken FROM wolkvox.slot WHERE slot = 'token/0'),"
        " (SELECT count(*) FROM wolkvox.suspended_campaign))"
    )
    return sessions, records, outcome


def trial_and_trial(ledger: Database) -> tuple[list[Session], str, str]:
    """Two workers look for due trials: each suspended campaign is tried by one of them."""
    due = statement(ledger, "due_trials", operation=OPERATION, longest=28_800.0, first=900.0, most=5)
    sessions = [Session(["BEGIN", due, "COMMIT"]) for _ in range(2)]
    suspended = (
        "INSERT INTO wolkvox.suspended_campaign VALUES"
        f" ('{OPERATION}', 'preview', '17', 'r', 'm', now() - interval '1 hour', now() - interval '1 minute', 0)"
    )
    outcome = "SELECT format('trials %s', trials) FROM wolkvox.suspended_campaign"
    return sessions, suspended, outcome


def reserve(ledger: Database, name: str, want: int) -> str:
    """A worker reserves a block of the day's requests."""
    values = {"account": OPERATION, "day": DAY, "want": want, "belief": timedelta(hours=1), "over_limit": 0}
    return statement(
        ledger, "reserve_requests", **values, name=f"00000000-0000-0000-0000-00000000000{name}", used_up=None
    )


QUOTA = f"INSERT INTO wolkvox.quota (account, day, request_limit) VALUES ('{OPERATION}', '{DAY}', 10)"
LAST_ONE = QUOTA.replace("10)", "1)")
BOOKS = """
SELECT format('counted %s, reserved %s, over the limit %s', requests,
    (SELECT coalesce(sum(requests), 0) FROM wolkvox.reservation), requests > request_limit) FROM wolkvox.quota
"""


def reserve_and_reserve(ledger: Database) -> tuple[list[Session], str, str]:
    """Two workers reserve at the same time: never more than the limit."""
    return [Session(["BEGIN", reserve(ledger, str(n), 8), "COMMIT"], locks=1) for n in (1, 2)], LAST_ONE, BOOKS


def reserve_twice_and_release(ledger: Database) -> tuple[list[Session], str, str]:
    """A block is asked for again after a lost connection, and given back twice: each counts once."""
    release = statement(
        ledger,
        "release_requests",
        account=OPERATION,
        day=DAY,
        name="00000000-0000-0000-0000-000000000001",
        requests=2,
    )
    before = f"{QUOTA}; {reserve(ledger, '1', 2)}"
    return [Session([reserve(ledger, "1", 2), release]), Session([release])], before, BOOKS


def reserve_and_align(ledger: Database) -> tuple[list[Session], str, str]:
    """The vendor's figure comes in while a worker reserves: nothing is counted twice, the smaller limit holds."""
    align = statement(
        ledger,
        "align_quota",
        account=OPERATION,
        day=DAY,
        own_limit=10,
        vendor_left=4,
        reserved=40,
        belief=timedelta(hours=1),
    )
    return [Session(["BEGIN", align, "COMMIT"]), Session([reserve(ledger, "1", 8)])], QUOTA, BOOKS


def open_and_open(ledger: Database) -> tuple[list[Session], str, str]:
    """Two workers open the circuit breaker: it is opened once, by the first."""
    sessions = []
    for run in ("a", "b"):
        opened = statement(
            ledger,
            "open_breaker",
            operation=OPERATION,
            reason="outage",
            message="away",
            fingerprint=1,
            dag_id="dag",
            dag_run_id=run,
            pause=timedelta(minutes=1),
        )
        sessions.append(Session(["BEGIN", lock(Lock.FAULTS), opened, "COMMIT"], locks=1))
    outcome = "SELECT format('open %s, trials %s', count(*), sum(trials)) FROM wolkvox.circuit_breaker"
    return sessions, "SELECT 1", outcome


def export_and_advance(ledger: Database) -> tuple[list[Session], str, str]:
    """An export settles a record while a worker marks it: settled without a request, or sent, never both."""
    settle = statement(
        ledger,
        "settle_by_export",
        type_campaign="preview",
        campaign_id="17",
        margin=timedelta(minutes=5),
        skip_handled=False,
        absent_are_known=True,
        strangers_are_known=True,
        ask_again=timedelta(minutes=5),
        compared_again=timedelta(hours=24),
        **WHOSE,
    )
    exported = (
        "CREATE TEMPORARY TABLE exported (customer_id text, normalised_id text, cod_act text, cod_act_2 text,"
        " dialled_at timestamptz, unread_date text, is_open boolean, result text);"
        " INSERT INTO exported VALUES ('c', 'c', '5', NULL, NULL, '', false, '')"
    )
    sessions = [
        Session(["BEGIN", settle, "COMMIT"], ["DROP TABLE IF EXISTS exported", exported], locks=1),
        Session(["BEGIN", advance(0, mark=1), "COMMIT"], [holding(0)], locks=1),
    ]
    return sessions, rows("(1, '17', 'c', '5', 1, 'pending')"), STATES


def forget_and_resend(ledger: Database) -> tuple[list[Session], str, str]:
    """Retention deletes what somebody offers again: it is deleted and counted, or stays; nothing is lost."""
    forget = statement(
        ledger,
        "forget",
        operation=OPERATION,
        since=LONG_AGO,
        before=datetime(2100, 1, 1, tzinfo=timezone.utc),
        batch=10,
    )
    reopen = statement(ledger, "reopen", ids=[1], **WHOSE)
    sessions = [
        Session(["BEGIN", forget, "COMMIT"], locks=1, waits=False),
        Session(["BEGIN", reopen, "COMMIT"], locks=1),
    ]
    outcome = (
        "SELECT format('rows %s, counted %s, pending %s', (SELECT count(*) FROM wolkvox.codification),"
        " (SELECT coalesce(sum(records), 0) FROM wolkvox.monthly_total),"
        " (SELECT count(*) FROM wolkvox.codification WHERE state = 'pending'))"
    )
    return sessions, rows("(1, '17', 'c', '5', 1, 'rejected')"), outcome


def stage_and_stage(ledger: Database) -> tuple[list[Session], str, str]:
    """Two runs load the same contact: it is one row, counted as new once."""
    incoming = bound(ledger, isolation.text_of("incoming"))
    row = (
        "INSERT INTO incoming (contact_key, type_campaign, campaign_id, customer_id, cod_act, contacted_at)"
        " VALUES ('00000000-0000-0000-0000-000000000001', 'preview', '17', 'c', '5', now())"
    )
    load = statement(ledger, "insert_incoming", **WHOSE)
    sessions = [Session(["BEGIN", f"{incoming}; {row}", load, "COMMIT"], locks=2) for _ in range(2)]
    outcome = (
        "SELECT format('rows %s, ingested %s', (SELECT count(*) FROM wolkvox.codification),"
        " (SELECT sum(records) FROM wolkvox.ingest_count))"
    )
    return sessions, "SELECT 1", outcome


SPECS: Mapping[str, Spec] = {
    spec.__name__: spec
    for spec in (
        take_and_take,
        advance_and_advance,
        advance_and_requeue,
        supersede_and_advance,
        expire_and_advance,
        suspend_and_take,
        trial_and_trial,
        reserve_and_reserve,
        reserve_twice_and_release,
        reserve_and_align,
        open_and_open,
        export_and_advance,
        forget_and_resend,
        stage_and_stage,
    )
}


def run(ledger: Database, name: str, seconds: float = 60.0) -> Orders:
    """What the orders of a spec come to."""
    sessions, before, outcome = SPECS[name](ledger)
    return in_every_order(ledger, sessions, before, outcome, seconds)


@pytest.mark.parametrize("name", SPECS)
def test_every_order_ends_as_expected(ledger: Database, name: str) -> None:
    found = run(ledger, name)
    expected = (EXPECTED / f"{name}.txt").read_text().splitlines()
    assert found.lines == expected, found.outcomes


# What is taken out of a statement, and whose orders show that it is missing.
GUARDS = {
    "what another worker has taken is left alone": ("take_and_take", "take", "held_slot.slot <> %(slot)s", "false"),
    "suspended campaigns are left alone": ("suspend_and_take", "take", "AND NOT EXISTS (", "AND true OR EXISTS ("),
    "a record that another worker sends is left alone": (
        "advance_and_advance",
        "prepare_advance",
        "coalesce(state, '') = 'sending' AND slot = ANY($10)))",
        "coalesce(state, '') = 'sending'))",
    ),
    "only what is being sent is settled": (
        "advance_and_requeue",
        "prepare_advance",
        "WHERE id = $1 AND coalesce(state, '') = 'sending'",
        "WHERE id = $1",
    ),
    "only what is being sent is offered again": (
        "advance_and_requeue",
        "requeue_orphans",
        "AND state = 'sending'",
        "",
    ),
    "what is being sent is not superseded": (
        "supersede_and_advance",
        "supersede",
        "WHERE state = 'pending'\n",
        "WHERE true\n",
    ),
    "what a worker holds does not expire": ("expire_and_advance", "expire_overdue", "FOR UPDATE SKIP LOCKED", ""),
    "a block is cut from what is left by then": ("reserve_and_reserve", "reserve_requests", "FOR UPDATE", ""),
    "a block that is asked for twice counts once": (
        "reserve_twice_and_release",
        "reserve_requests",
        "AND NOT EXISTS (SELECT FROM reserved)",
        "",
    ),
    "each trial is one worker's": ("trial_and_trial", "due_trials", "FOR UPDATE SKIP LOCKED", ""),
    "an export settles only what still waits": (
        "export_and_advance",
        "settle_by_export",
        "WHERE record.id = changed.id AND record.state = 'pending'",
        "WHERE record.id = changed.id",
    ),
    "what is offered again is not deleted": ("forget_and_resend", "forget", "FOR UPDATE SKIP LOCKED", ""),
    "a contact that two runs load is one row": (
        "stage_and_stage",
        "insert_incoming",
        "ON CONFLICT (contact_key) DO NOTHING",
        "",
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_some_order_ends_otherwise(
    ledger: Database, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    name, file, text, instead = GUARDS[guard]
    real = isolation.text_of
    assert text in real(file)
    monkeypatch.setattr(
        isolation, "text_of", lambda asked: real(asked).replace(text, instead) if asked == file else real(asked)
    )
    try:
        found = run(ledger, name, seconds=15.0).lines
    except (AssertionError, subprocess.SubprocessError):
        return  # an error in one of the orders, or one that waits for ever
    assert found != (EXPECTED / f"{name}.txt").read_text().splitlines()


def test_without_the_lock_two_workers_take_the_same(ledger: Database) -> None:
    sessions, before, outcome = take_and_take(ledger)
    unlocked = [
        replace(one, steps=[step for step in one.steps if "xact_lock" not in step], locks=None) for one in sessions
    ]
    assert any("twice 2" in text for text in in_every_order(ledger, unlocked, before, outcome).outcomes)
