"""The ledger as a worker sees it: what it takes, what it writes, and what PostgreSQL may forget of that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from conftest import Database
from contact_rows import NOON, read
from staged import OWNER, RULES, code, coded, customers, settle, stage_in, states, worker

from wolkvox.errors import LedgerUnavailable
from wolkvox.ledger.breaker import Breaker, open_breaker
from wolkvox.ledger.connection import LedgerConnection
from wolkvox.ledger.sending import ChunkSession
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import EVERYTHING_REFUSED, Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Allowance, Chunk
from wolkvox.rules.states import State
from wolkvox.stop import Stop

STATES = "SELECT state, attempts FROM wolkvox.codification ORDER BY id LIMIT 3"
SUSPEND = (
    "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
    " VALUES ('0041', 'preview', '666', 'not_found', now(), now() + %s::interval)"
)


def staged_chunk(ledger: Database, records: int, run: str = "run") -> Chunk:
    """A chunk of so many records, the first one the newest."""
    contacts = [read(customer_id=n, contacted_at=NOON - n * timedelta(minutes=1)) for n in range(records)]
    return stage_in(ledger.connection, contacts, run).chunks[0]


def test_what_a_crash_of_postgresql_takes_back_is_written_again_by_the_living_task(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 5)  # of which a worker takes three at once
    sessions: list[LedgerConnection] = []

    def connect() -> LedgerConnection:
        sessions.append(LedgerConnection.connect(ledger.uri, autocommit=True))
        return sessions[-1]

    with ChunkSession(connect, chunk, RULES, OWNER, Stop()) as session:
        first, second, third = (record.id for record in session.take(20))
        assert session.advance(None, first)
        session.run(lambda connection: connection.execute("DEALLOCATE flush"))
        session.run(lambda connection: connection.execute("PREPARE flush AS SELECT pg_sleep(60)"))
        assert session.advance(coded(first), second)
        assert ledger.rows(STATES) == [("coded", 1), ("sending", 1), ("pending", 0)]

        # What the crash leaves: the step before the flush never happened.
        ledger.execute("UPDATE wolkvox.codification SET state = 'sending', settled_at = NULL WHERE id = %s", first)
        ledger.execute("UPDATE wolkvox.codification SET state = 'pending', attempts = 0 WHERE id = %s", second)
        ledger.execute("SELECT pg_terminate_backend(%s)", sessions[0].info.backend_pid)

        assert session.advance(coded(second), third)
        assert ledger.rows(STATES) == [("coded", 1), ("coded", 1), ("sending", 1)]
        session.advance(coded(third), None)

    assert ledger.rows(STATES) == [("coded", 1), ("coded", 1), ("coded", 1)]
    assert len(sessions) == 2


def test_the_last_record_is_on_disk_when_the_loop_is_told_so(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 1)
    with worker(ledger, chunk) as session:
        record = session.take(20)[0].id
        session.advance(None, record)
        session.advance(coded(record), None)
        assert session._flushing is False


# What a worker takes


def test_a_record_has_one_turn_in_each_run(ledger: Database) -> None:
    with worker(ledger, staged_chunk(ledger, 3)) as session:
        first = session.take(20)[0]
        session.advance(None, first.id)
        session.advance(Settled(first.id, State.PENDING, "overloaded_500", "500", "oops", delay=0.0), None)
        assert [record.customer_id for record in session.take(20)] == ["1"]
    again = stage_in(ledger.connection, [], "next").chunks[0]
    with worker(ledger, again) as session:
        assert [(record.customer_id, record.requests, record.deferred) for record in session.take(20)] == [
            ("0", 1, True),
            ("1", 0, False),
        ]


@pytest.mark.parametrize("by_hand", [False, True], ids=["what waits", "one customer's"])
def test_a_record_that_will_be_tried_again_is_not_taken_meanwhile(ledger: Database, by_hand: bool) -> None:
    """It would be sent at once instead of after its wait, and then once more."""
    contacts = [read(), read(campaign_id="18", contacted_at=NOON - timedelta(minutes=1))]
    options: dict[str, Any] = {"customer_id": "1001"} if by_hand else {}
    with worker(ledger, stage_in(ledger.connection, contacts, **options).chunks[0]) as session:
        record = session.take(1)[0]
        session.advance(None, record.id)
        session.advance(Settled(record.id, State.PENDING, "overloaded_503", "503", "busy"), None)
        assert [one.campaign_id for one in session.take(20, [record.id])] == ["18"]


def test_a_record_that_died_with_its_task_each_time_is_given_up(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 2)
    ledger.execute("UPDATE wolkvox.codification SET attempts = 8, reason = 'unknown_crash' WHERE customer_id = '0'")
    with worker(ledger, chunk) as session:
        assert [record.customer_id for record in session.take(20)] == ["1"]
    assert ledger.rows("SELECT customer_id, reason, chunk_id FROM wolkvox.codification WHERE state = 'failed'") == [
        ("0", "unknown_crash", chunk.chunk_id)
    ]


@pytest.mark.parametrize("used_up", [1, 3, 25])
def test_records_that_are_given_up_hide_none_behind_them(ledger: Database, used_up: int) -> None:
    chunk = staged_chunk(ledger, used_up + 1)
    ledger.execute("UPDATE wolkvox.codification SET attempts = 8 WHERE customer_id::int < %s", used_up)
    with worker(ledger, chunk) as session:
        assert not session.close(), "somebody waits"
        assert [record.customer_id for record in session.take(20)] == [str(used_up)]
    assert states(ledger) == {"failed": used_up, "pending": 1}


def test_trials_of_a_suspended_campaign_are_taken_first_however_few_a_worker_takes(ledger: Database) -> None:
    contacts = [read(customer_id=n, campaign_id="666" if n > 5 else "17") for n in range(10)]
    chunk = stage_in(ledger.connection, contacts).chunks[0]
    ledger.execute(SUSPEND, "-1 seconds")
    with worker(ledger, chunk) as session:
        (trial,) = session.take(1)
        assert (trial.campaign_id, trial.trial) == ("666", True)
        assert {record.campaign_id for record in session.take(20)} == {"17"}


def test_a_worker_that_ends_begins_no_trial_in_vain(ledger: Database) -> None:
    chunk = stage_in(ledger.connection, [read(campaign_id="666")]).chunks[0]
    ledger.execute(SUSPEND, "-1 seconds")
    before = ledger.rows("SELECT trials, until FROM wolkvox.suspended_campaign")
    with worker(ledger, chunk) as session:
        assert session.close()
    assert ledger.rows("SELECT trials, until FROM wolkvox.suspended_campaign") == before


def test_another_campaigns_record_is_one_that_may_be_sent(ledger: Database) -> None:
    contacts = [read(customer_id=n, campaign_id=campaign) for n, campaign in enumerate(("17", "17", "18"))]
    with worker(ledger, stage_in(ledger.connection, contacts).chunks[0]) as session:
        other = session.another([("preview", "17")])
        assert other is not None
        assert (other.customer_id, other.trial) == ("2", True)
        code(session, other)
        assert session.another([("preview", "17")]) is None


def test_while_an_outage_is_tried_by_one_worker_another_one_gets_no_record(ledger: Database) -> None:
    chunks = stage_in(ledger.connection, [read(customer_id=n) for n in range(50)]).chunks
    open_breaker(ledger.connection, Breaker("0041", 0, ("d", "r"), RetryPolicy()), "overloaded_503", "message")
    with worker(ledger, chunks[0]) as one, worker(ledger, chunks[1]) as other:
        assert one.trials() == ()
        ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
        assert len(one.trials()) == 1
        assert other.trials() == ()


def test_a_chunk_for_one_customer_takes_only_its_own_records(ledger: Database) -> None:
    stage_in(ledger.connection, [read(customer_id=n) for n in range(5)], allowance=Allowance(0))
    chunk = stage_in(ledger.connection, [], "by hand", customer_id="3").chunks[0]
    with worker(ledger, chunk) as session:
        code(session, *session.take(20))
        assert session.take(20) == []
        assert session.close()
    assert customers(ledger, "coded") == ["3"]


# What a worker writes


def test_a_chunk_keeps_the_list_of_what_it_sent(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 5)
    with worker(ledger, chunk) as session:
        code(session, *session.take(2))
    assert ledger.rows("SELECT ids, closed_at IS NOT NULL FROM wolkvox.chunk") == [([1, 2], True)]


def test_a_task_that_is_tried_again_opens_its_chunk_again(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 5)
    with worker(ledger, chunk) as session:
        code(session, *session.take(2))
    with worker(ledger, chunk) as session:
        assert ledger.value("SELECT closed_at FROM wolkvox.chunk") is None
        while records := session.take(20):
            code(session, *records)
    assert states(ledger) == {"coded": 5}


def test_a_chunk_that_the_ledger_does_not_know_sends_nothing_and_says_what_comes_next(ledger: Database) -> None:
    chunk = staged_chunk(ledger, 5)
    ledger.execute("DELETE FROM wolkvox.chunk")
    with pytest.raises(LedgerUnavailable, match=r"has no chunk 1 of this run.*the next run takes up what waits"):
        worker(ledger, chunk).__enter__()


def test_a_refusal_that_is_counted_after_an_outage_was_found_is_settled_by_it_neither(ledger: Database) -> None:
    """The other worker opened the circuit breaker between this record's answer and its count."""
    contacts = [read(customer_id=n) for n in range(2)]
    with worker(ledger, stage_in(ledger.connection, contacts).chunks[0]) as session:
        record = session.take(1)[0]
        session.advance(None, record.id)
        session.advance(Settled(record.id, State.REJECTED, "refused_422", "422", "no"), None)
        open_breaker(ledger.connection, Breaker("0041", 0, ("d", "r"), RetryPolicy()), EVERYTHING_REFUSED, "message")
        found = session.count(Fault(record.id, record.campaign, "refused_422", "422 NO", "Look.", refused=True))
    assert (found.outage, found.first) == (EVERYTHING_REFUSED, False)
    assert states(ledger) == {"pending": 2}


def test_a_refusal_that_is_counted_after_its_campaign_was_suspended_is_settled_by_it_neither(ledger: Database) -> None:
    contacts = [read(customer_id=n, campaign_id="666") for n in range(2)]
    with worker(ledger, stage_in(ledger.connection, contacts).chunks[0]) as session:
        record = session.take(1)[0]
        session.advance(None, record.id)
        session.advance(Settled(record.id, State.REJECTED, "not_found", "404", "no"), None)
        ledger.execute(SUSPEND, "10 minutes")
        found = session.count(Fault(record.id, record.campaign, "not_found", "404 NO", "Look.", refused=True))
    assert found.suspended == {("preview", "666")}
    assert states(ledger) == {"pending": 2}


def test_a_record_that_somebody_has_settled_meanwhile_is_not_sent(ledger: Database) -> None:
    with worker(ledger, staged_chunk(ledger, 2)) as session:
        first, second = session.take(20)[0], session.take(20)[0]
        assert first == second, "taken, not yet sent"
        settle(ledger, "0", "superseded")
        assert session.advance(None, first.id) is False
