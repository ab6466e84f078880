"""What the ledger says of a chunk, a run and an operation."""

from __future__ import annotations

from datetime import timedelta

from conftest import Database
from contact_rows import NOON

from wolkvox.ledger.reports import Backlog, anything_waits, backlog, seconds_per_request, tally

INSERT = """
INSERT INTO wolkvox.codification (
    contact_key, operation, state, attempts, reason, dag_run_id, chunk_id, contacted_at, sent_at, settled_at
)
VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def record(
    ledger: Database,
    state: str,
    *,
    operation: str = "0041",
    attempts: int = 1,
    reason: str | None = None,
    run: str = "run",
    chunk: str | None = "a",
    hours: float = 0,
    seconds: float = 0,
) -> None:
    """A record whose customer was contacted at noon and so many hours, and whose call took so many seconds."""
    moment = NOON + timedelta(hours=hours)
    settled_at = None if state in ("pending", "sending") else NOON + timedelta(seconds=seconds)
    ledger.execute(INSERT, operation, state, attempts, reason, run, chunk, moment, NOON, settled_at)


def test_a_chunk_is_counted_by_state(ledger: Database) -> None:
    for state, chunk in [("coded", "a"), ("coded", "a"), ("rejected", "a"), ("coded", "b"), ("pending", "b")]:
        record(ledger, state, chunk=chunk)
    record(ledger, "invalid", chunk=None)
    assert tally(ledger.connection, "run", "a").states == {"coded": 2, "rejected": 1}
    assert tally(ledger.connection, "run", "a").total == 3
    assert tally(ledger.connection, "no such run", "a").total == 0


def test_unknown_outcomes_and_second_sendings_are_counted_apart(ledger: Database) -> None:
    record(ledger, "failed", reason="unknown_timeout")
    record(ledger, "pending", reason="unknown_crash")
    record(ledger, "failed", reason="overloaded_500", attempts=5)
    record(ledger, "coded", attempts=2)
    counted = tally(ledger.connection, "run", "a")
    assert (counted.unknown, counted.resent) == (2, 2)


def test_the_backlog_is_what_waits(ledger: Database) -> None:
    assert backlog(ledger.connection, "0041") == Backlog(0, None)
    for hours, state in enumerate(["coded", "expired", "failed", "pending", "sending"]):
        record(ledger, state, hours=hours)
    record(ledger, "pending", operation="0042", hours=-9)
    assert backlog(ledger.connection, "0041") == Backlog(1, NOON + timedelta(hours=3))
    assert (anything_waits(ledger.connection, "0041"), anything_waits(ledger.connection, "0099")) == (True, False)


def test_a_call_takes_as_long_as_it_took_lately(ledger: Database) -> None:
    assert seconds_per_request(ledger.connection, "0041") is None
    for seconds in (0.1, 0.3, 60):
        record(ledger, "coded", seconds=seconds)
    record(ledger, "failed", seconds=65)
    record(ledger, "coded", operation="0042", seconds=65)
    assert seconds_per_request(ledger.connection, "0041") == 0.3


def test_slow_hours_of_long_ago_tell_nothing_of_the_next_requests(ledger: Database) -> None:
    for _ in range(200):
        record(ledger, "coded", seconds=30)
    earlier = "settled_at = settled_at - interval '4 hours', sent_at = sent_at - interval '4 hours'"
    ledger.execute(f"UPDATE wolkvox.codification SET {earlier}")
    for _ in range(26):
        record(ledger, "coded", seconds=0.02)
    assert seconds_per_request(ledger.connection, "0041") == 0.02


def test_what_an_export_settled_was_no_request(ledger: Database) -> None:
    record(ledger, "coded", seconds=0.5)
    for _ in range(9):
        record(ledger, "coded", seconds=1_204, chunk=None)
    assert seconds_per_request(ledger.connection, "0041") == 0.5
