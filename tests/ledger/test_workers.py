"""Workers of an operation: who is under way, who takes over, and that no record is left between two of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from conftest import Database
from contact_rows import NOON, read
from crew import wait_until
from staged import OWNER, RULES, code, stage_in, states, worker

from wolkvox.ledger.breaker import Breaker, open_breaker
from wolkvox.ledger.connection import LedgerConnection, connected
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.staging import Staged
from wolkvox.ledger.workers import chunks_wanted, in_turn, keep_quiet, others_wait, sendable, under_way
from wolkvox.rules.chunks import MAX_CHUNK
from wolkvox.rules.contacts import Contact
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Allowance
from wolkvox.stop import Stop

MINUTE = timedelta(minutes=1)
BREAKER = Breaker("0041", 0, ("wolkvox_codify", "run"), RetryPolicy())
NEVER = Allowance(0)
SUSPEND = (
    "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
    " VALUES ('0041', 'preview', '666', 'not_found', now(), now() + %s::interval)"
)

Pull = Callable[..., Staged]


@pytest.fixture
def pull(ledger: Database) -> Pull:
    """Stages contacts in a run of the given name."""

    def pull(*contacts: Contact, run: str = "run", **options: Any) -> Staged:
        return stage_in(ledger.connection, contacts, run, **options)

    return pull


def some(count: int, first: int = 0) -> list[Contact]:
    """So many contacts, the first one the newest; below 0 they are of after noon."""
    of_names = [(n, n if n >= 0 else f"fresh {n}") for n in range(first, first + count)]
    return [read(customer_id=name, contacted_at=NOON - n * MINUTE) for n, name in of_names]


# Who is under way


def test_a_worker_is_under_way_from_its_chunk_to_its_end(ledger: Database, pull: Pull) -> None:
    assert under_way(ledger.connection, "0041") == 0
    staged = pull(*some(5))
    assert under_way(ledger.connection, "0041") == 1, "its task is starting"
    with worker(ledger, staged.chunks[0]):
        assert under_way(ledger.connection, "0041") == 1
        assert under_way(ledger.connection, "0042") == 0
    assert under_way(ledger.connection, "0041") == 0


def test_a_worker_that_was_killed_is_not_under_way(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(5))
    sessions: list[LedgerConnection] = []

    def connect() -> LedgerConnection:
        sessions.append(LedgerConnection.connect(ledger.uri, autocommit=True))
        return sessions[-1]

    ChunkSession(connect, staged.chunks[0], RULES, OWNER, Stop()).__enter__()
    assert under_way(ledger.connection, "0041") == 1
    sessions[0].close()
    wait_until(lambda: under_way(ledger.connection, "0041") == 0, seconds=10.0)  # PostgreSQL ends the session
    assert len(pull(run="next").chunks) == 1


def test_a_worker_whose_time_is_nearly_over_takes_nothing_over(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(5), seconds=25.0)
    with worker(ledger, staged.chunks[0]):
        assert under_way(ledger.connection, "0041") == 0


def test_a_workers_time_begins_with_the_first_worker_of_its_run(ledger: Database, pull: Pull) -> None:
    """However long the tasks took to start: a run is bounded from its first request, not from its stage."""
    staged = pull(*some(50), seconds=600.0)
    ledger.execute("UPDATE wolkvox.chunk SET made_at = made_at - interval '2 hours'")
    with worker(ledger, staged.chunks[0]) as first:
        assert 599.0 < first.seconds <= 600.0
    ledger.execute("UPDATE wolkvox.chunk SET began_at = began_at - interval '100 seconds' WHERE number = 1")
    with worker(ledger, staged.chunks[1]) as second:
        assert 499.0 < second.seconds <= 500.0
    with worker(ledger, staged.chunks[0]) as retried:
        assert 599.0 < retried.seconds <= 600.0, "a task that is tried again has its time anew"


# What waits, and how many workers it asks for


def test_no_more_chunks_are_wanted_than_what_may_be_sent_asks_for(ledger: Database, pull: Pull) -> None:
    def wanted() -> int:
        return chunks_wanted(ledger.connection, "0041")

    assert wanted() == 0
    pull(*some(5), allowance=NEVER)
    assert (wanted(), chunks_wanted(ledger.connection, "0042")) == (1, 0)
    pull(*some(50), allowance=NEVER)
    assert wanted() == 2
    pull(run="one", most_chunks=1)
    assert wanted() == 1, "one is starting"
    pull(run="other")
    assert wanted() == 0
    ledger.execute("UPDATE wolkvox.chunk SET closed_at = now()")
    assert wanted() == 2


def test_what_is_put_off_or_suspended_asks_for_nobody(ledger: Database, pull: Pull) -> None:
    pull(read(customer_id="1"), read(customer_id="2", campaign_id="666"), allowance=NEVER)
    ledger.execute(SUSPEND, "10 minutes")
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour' WHERE customer_id = '1'")
    assert (sendable(ledger.connection, "0041"), chunks_wanted(ledger.connection, "0041")) == ((0, 0), 0)
    ledger.execute("UPDATE wolkvox.suspended_campaign SET until = now()")
    assert (sendable(ledger.connection, "0041"), chunks_wanted(ledger.connection, "0041")) == ((1, 1), 1)


def test_a_day_without_requests_and_an_outage_ask_for_nobody_until_they_are_over(ledger: Database, pull: Pull) -> None:
    def wanted() -> int:
        return chunks_wanted(ledger.connection, "0041")

    ledger.execute(
        "INSERT INTO wolkvox.dag (dag_id, operation, wolkvox_conn_id) VALUES ('wolkvox_codify', '0041', 'c')"
    )
    pull(*some(50), allowance=Allowance(0, quiet_seconds=600.0))
    assert wanted() == 0
    keep_quiet(ledger.connection, "wolkvox_codify", 0.0)
    assert wanted() == 2
    open_breaker(ledger.connection, BREAKER, "overloaded_503", "message")
    assert wanted() == 0
    ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
    assert wanted() == 1, "one tries"
    ledger.execute("UPDATE wolkvox.circuit_breaker SET until = now() + interval '2 days'")
    assert wanted() == 1, "the clock was ahead"


def test_what_a_dead_task_was_sending_asks_for_a_worker(ledger: Database, pull: Pull) -> None:
    staged = pull(read())
    session = worker(ledger, staged.chunks[0])
    with session:
        session.advance(None, session.take(1)[0].id)
        assert chunks_wanted(ledger.connection, "0041") == 0
    assert states(ledger) == {"sending": 1}
    # PostgreSQL lets go of a session's locks in a moment.
    wait_until(lambda: chunks_wanted(ledger.connection, "0041") == 1)


def test_counting_what_may_be_sent_ends_at_a_bound(ledger: Database, pull: Pull) -> None:
    pull(*some(50), allowance=NEVER)
    assert sendable(ledger.connection, "0041") == (50, 1)
    assert sendable(ledger.connection, "0041", 7)[0] == 7


# Workers that share a queue


def test_two_workers_take_the_newest_and_never_the_same(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(100))
    with worker(ledger, staged.chunks[0]) as one, worker(ledger, staged.chunks[1]) as other:
        first, second = one.take(20), other.take(20)
        assert [record.customer_id for record in first] == [str(n) for n in range(20)]
        assert [record.customer_id for record in second] == [str(n) for n in range(20, 40)]
        pull(*some(1, first=-1), run="next")
        code(one, *first)
        assert [record.customer_id for record in one.take(3)] == ["fresh -1", "40", "41"], "the newest, whatever waits"


def test_a_worker_with_nothing_left_takes_half_of_what_the_other_has_not_sent(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(12))
    with worker(ledger, staged.chunks[0]) as one, worker(ledger, staged.chunks[1]) as other:
        first = one.take(20)
        second = other.take(20)
        assert (len(first), len(second)) == (6, 3)
        code(other, *second)
        code(other, *other.take(20))  # the last three that nobody had: 2, then 1
        code(other, *other.take(20))
        code(one, first[0])
        assert [record.customer_id for record in other.take(20)] == ["3", "4", "5"]


def test_what_it_takes_over_is_within_its_allotment(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(20))
    with worker(ledger, staged.chunks[0]) as one, worker(ledger, staged.chunks[1]) as other:
        assert len(one.take(20)) == 10
        while len(rest := other.take(20)) and int(rest[0].customer_id) >= 10:
            code(other, *rest)
        assert [record.customer_id for record in other.take(2)] == ["5", "6"]


def test_records_of_a_campaign_that_was_suspended_meanwhile_are_not_taken_over(ledger: Database, pull: Pull) -> None:
    """Their worker may be in the middle of a slow request: nobody asks for them again and again meanwhile."""
    staged = pull(*(read(customer_id=n, campaign_id="666") for n in range(12)))
    with worker(ledger, staged.chunks[0]) as one, worker(ledger, staged.chunks[1]) as other:
        assert len(one.take(20)) == 6
        ledger.execute(SUSPEND, "10 minutes")
        assert other.take(20) == []
        assert other.close()


def test_both_workers_end_with_every_record_sent_once(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(137))
    sent: list[int] = []
    with ExitStack() as stack:
        sessions = [stack.enter_context(worker(ledger, chunk)) for chunk in staged.chunks]
        queues: list[list[Any]] = [[], []]
        while True:
            for session, queue in zip(sessions, queues, strict=True):
                queue[:] = queue or list(session.take(20))
                if queue and session.advance(None, (record := queue.pop(0)).id):
                    code(session, record)
                    sent.append(record.id)
            if not any(queues) and not any(session.take(20) for session in sessions):
                break
        assert all(session.close() for session in sessions)
    assert sorted(sent) == sorted(set(sent))
    assert states(ledger) == {"coded": 137}


def test_a_worker_that_is_killed_leaves_what_it_took_to_the_others(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(30))
    with worker(ledger, staged.chunks[1]) as other:
        with worker(ledger, staged.chunks[0]) as one:
            taken = one.take(20)
        # PostgreSQL lets go of a session's locks in a moment.
        wait_until(lambda: ledger.value("SELECT count(*) FROM wolkvox.held_slot") == 1)
        assert [record.id for record in other.take(15)] == [record.id for record in taken]


# Handing over


def test_a_stage_hands_its_records_to_workers_under_way(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(50))
    with worker(ledger, staged.chunks[0]) as one, worker(ledger, staged.chunks[1]):
        handed = pull(*some(10, first=-10), run="next")
        assert (handed.chunks, handed.handed_over, handed.records) == ([], 60, 60)
        assert [record.customer_id for record in one.take(2)] == ["fresh -10", "fresh -9"]


def test_a_stage_adds_the_worker_that_is_missing(ledger: Database, pull: Pull) -> None:
    staged = pull(*some(3))
    with worker(ledger, staged.chunks[0]):
        more = pull(*some(50, first=-50), run="next")
        assert ([chunk.records for chunk in more.chunks], more.handed_over) == ([MAX_CHUNK], 0)


@pytest.fixture
def turn(ledger: Database) -> Callable[[Callable[[], object]], Thread]:
    """Starts something that waits for its turn while the test's connection holds it."""

    def begin(work: Callable[[], object]) -> Thread:
        begun = Event()

        def run() -> None:
            begun.set()
            work()

        thread = Thread(target=run)
        thread.start()
        begun.wait()
        return thread

    return begin


def waits_for_its_turn(ledger: Database) -> bool:
    return bool(ledger.value("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"))


def test_a_worker_that_ends_after_a_stage_has_handed_over_sees_its_records(
    ledger: Database, pull: Pull, turn: Callable[[Callable[[], object]], Thread]
) -> None:
    staged = pull(read(customer_id="first"))
    with worker(ledger, staged.chunks[0]) as session, connected("wolkvox_ledger") as second:
        code(session, *session.take(20))
        closed: list[bool] = []
        with second.transaction():  # the stage of the next run, up to its commit
            in_turn(second, "0041")
            thread = turn(lambda: closed.append(session.close()))
            while not waits_for_its_turn(ledger):
                pass
            handed = stage_in(second, [read(customer_id="second")], "next")
            assert (handed.chunks, handed.handed_over) == ([], 1)
        thread.join()
        assert closed == [False]
        assert [record.customer_id for record in session.take(20)] == ["second"]


def test_a_stage_that_comes_after_a_worker_has_ended_makes_a_chunk(
    ledger: Database, pull: Pull, turn: Callable[[Callable[[], object]], Thread]
) -> None:
    staged = pull(read(customer_id="first"))
    later: list[Staged] = []

    def next_run() -> None:
        with connected("wolkvox_ledger") as connection:
            later.append(stage_in(connection, [read(customer_id="second")], "next"))

    with worker(ledger, staged.chunks[0]) as session:
        code(session, *session.take(20))

        def end(connection: LedgerConnection) -> None:
            with connection.transaction():  # what ``close`` does, stopped before its commit
                in_turn(connection, "0041")
                connection.execute("UPDATE wolkvox.chunk SET closed_at = clock_timestamp()")
                thread = turn(next_run)
                while not waits_for_its_turn(ledger):
                    pass
                assert later == []
            thread.join()

        session.run(end)
        assert ([len(each.chunks) for each in later], later[0].handed_over) == ([1], 0)


def test_however_a_stage_and_a_worker_that_ends_meet_somebody_sends_the_record(ledger: Database, pull: Pull) -> None:
    for number in range(12):
        staged = pull(read(customer_id=f"{number} first"), run=f"run {number}")
        with worker(ledger, staged.chunks[0]) as session:
            code(session, *session.take(20))
            found: list[Staged] = []

            def next_run(number: int = number, found: list[Staged] = found) -> None:
                with connected("wolkvox_ledger") as connection:
                    found.append(stage_in(connection, [read(customer_id=f"{number} second")], f"next {number}"))

            thread = Thread(target=next_run)
            thread.start()
            if number % 2:
                thread.join(0.002 * number)
            closed = session.close()
            thread.join()
            if closed:
                assert len(found[0].chunks) == 1
                with_chunk = found[0].chunks[0]
            else:
                assert found[0].handed_over == 1
                code(session, *session.take(20))
                continue
        with worker(ledger, with_chunk) as session:
            code(session, *session.take(20))
    assert states(ledger) == {"coded": 24}


# Two operations with one token


def test_a_chunk_of_another_operation_with_the_same_token_that_nobody_has_begun_is_waited_for(
    ledger: Database, pull: Pull
) -> None:
    mine = pull(read()).chunks[0].chunk_id
    assert not others_wait(ledger.connection, mine)
    insert = (
        "INSERT INTO wolkvox.chunk (chunk_id, operation, dag_id, dag_run_id, number, fingerprint)"
        " VALUES (%s, %s, 'd', 'r', 1, %s)"
    )
    for operation in ("0041", "0042"):
        ledger.execute(
            "INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, window_start, window_end)"
            " VALUES (%s, 'd', 'r', now(), now())",
            operation,
        )
    ledger.execute(insert, "same operation", "0041", 7)
    ledger.execute(insert, "other token", "0042", 8)
    assert not others_wait(ledger.connection, mine)
    ledger.execute(insert, "theirs", "0042", 7)
    assert others_wait(ledger.connection, mine)
    ledger.execute("UPDATE wolkvox.chunk SET began_at = now() WHERE chunk_id = 'theirs'")
    assert not others_wait(ledger.connection, mine)
    ledger.execute("UPDATE wolkvox.chunk SET began_at = NULL, made_at = now() - interval '1 hour'")
    assert not others_wait(ledger.connection, mine), "its task never came"
