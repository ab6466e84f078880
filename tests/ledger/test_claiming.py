"""What a run may send, on a real ledger: what must not be sent any more retires, the rest makes chunks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from conftest import Database
from contact_rows import NOON, read
from staged import code, customers, settle, stage_in, states, worker

from wolkvox.ledger.breaker import Breaker, open_breaker
from wolkvox.ledger.connection import connected
from wolkvox.ledger.reports import tally
from wolkvox.ledger.staging import Staged
from wolkvox.rules.chunks import MAX_CHUNK
from wolkvox.rules.contacts import Contact
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Allowance, Chunk, Resend

MINUTE = timedelta(minutes=1)
BREAKER = Breaker("0041", 0, ("wolkvox_codify", "run"), RetryPolicy())
SUSPEND = (
    "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
    " VALUES ('0041', 'preview', '666', 'not_found', now(), now() + %s::interval)"
)
NEVER = Allowance(0)  # nothing may be sent

Pull = Callable[..., Staged]


@pytest.fixture
def pull(ledger: Database) -> Pull:
    """Stages contacts in a run of the given name."""

    def pull(*contacts: Contact, run: str = "run", **options: Any) -> Staged:
        return stage_in(ledger.connection, contacts, run, **options)

    return pull


def of_age(minutes: float, **changes: Any) -> Contact:
    """A contact of so many minutes before noon."""
    return read(contacted_at=NOON - minutes * MINUTE, **changes)


def taken(ledger: Database, chunk: Chunk, most: int = 20) -> list[str]:
    """The customers whom the worker of a chunk takes first."""
    with worker(ledger, chunk) as session:
        return [record.customer_id for record in session.take(most)]


# Chunks


def test_a_chunk_is_an_allotment_for_one_worker(ledger: Database, pull: Pull) -> None:
    staged = pull(*(of_age(n / 600, customer_id=n, campaign_id=str(n % 1_000)) for n in range(10_001)), seconds=120.0)
    assert [(chunk.number, chunk.records, chunk.seconds) for chunk in staged.chunks] == [
        (1, MAX_CHUNK, 120.0),
        (2, MAX_CHUNK, 120.0),
    ]
    assert (staged.records, staged.waiting, staged.campaigns) == (10_001, 10_001, 1_000)
    assert ledger.rows("SELECT DISTINCT state, chunk_id FROM wolkvox.codification") == [("pending", None)]
    assert taken(ledger, staged.chunks[0]) == [str(n) for n in range(20)]


def test_a_few_records_are_one_chunk_and_none_are_none(pull: Pull) -> None:
    assert pull().chunks == []
    assert len(pull(read(), run="next").chunks) == 1


def test_a_run_of_more_chunks_than_airflow_maps_leaves_the_rest_to_the_next_one(pull: Pull) -> None:
    staged = pull(*(read(customer_id=number) for number in range(107)), most_chunks=1)
    assert (len(staged.chunks), staged.records, staged.waiting) == (1, 107, 107)
    staged = pull(run="next")
    assert len(staged.chunks) == 1, "the worker that was missing"


def test_a_limit_is_shared_by_the_chunks_of_a_run_whoever_else_is_under_way(ledger: Database, pull: Pull) -> None:
    contacts = [of_age(n, customer_id=n) for n in range(100)]
    assert len(pull(*contacts).chunks) == 2
    staged = pull(run="limited", limit=25)
    assert ([chunk.records for chunk in staged.chunks], staged.records, staged.waiting) == ([13, 12], 25, 100)
    assert staged.handed_over == 0
    few = pull(run="few", limit=3)
    assert [chunk.records for chunk in few.chunks] == [3]
    assert len(pull(run="whole").chunks) == 0, "the first run's workers take what waits, those of a limit don't"
    ledger.execute("UPDATE wolkvox.chunk SET closed_at = now() WHERE dag_run_id = 'run'")
    assert len(pull(run="whole").chunks) == 2


def test_a_stage_hands_over_to_workers_that_have_not_begun_yet(pull: Pull) -> None:
    assert len(pull(*(read(customer_id=n) for n in range(100))).chunks) == 2
    staged = pull(read(customer_id="fresh"), run="next")
    assert (staged.chunks, staged.records, staged.handed_over) == ([], 101, 101)


def test_a_chunk_whose_task_never_came_takes_nothing_over(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=n) for n in range(100)))
    ledger.execute("UPDATE wolkvox.chunk SET made_at = now() - interval '6 minutes'")
    staged = pull(run="next")
    assert (len(staged.chunks), staged.handed_over) == (2, 0)


def test_a_clock_that_was_ahead_makes_no_chunk_that_takes_all_over(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=n) for n in range(100)))
    ledger.execute("UPDATE wolkvox.chunk SET made_at = now() + interval '1 day'")
    assert len(pull(run="next").chunks) == 2


def test_a_run_whose_stage_is_cleared_begins_anew(ledger: Database, pull: Pull) -> None:
    """Airflow maps what the last try returned: the chunks of the one before have no task any more."""
    window = [read(customer_id=name) for name in ("coded", "failed", "waiting", "rejected")]
    assert pull(*window).records == 4
    for state in ("coded", "failed", "rejected"):
        settle(ledger, state, state)
    again = pull(*window)
    assert (again.records, len(again.chunks), again.handed_over) == (1, 1, 0)
    assert taken(ledger, again.chunks[0]) == ["waiting"]


# What may be sent


def test_what_is_pending_may_be_sent_and_nothing_else(ledger: Database, pull: Pull) -> None:
    names = ["pending", "failed", "coded", "rejected", "sending"]
    pull(*(read(customer_id=name) for name in names), allowance=NEVER)
    for name in names:
        settle(ledger, name, name, "unknown_timeout")
    staged = pull(run="next")
    assert (staged.pulled, staged.records, staged.waiting) == (0, 1, 1)
    with worker(ledger, staged.chunks[0]) as session:
        code(session, *session.take(20))
    assert ledger.rows(
        "SELECT customer_id, attempts, reason, dag_id, dag_run_id, chunk_number FROM wolkvox.codification"
        " WHERE chunk_id = %s",
        staged.chunks[0].chunk_id,
    ) == [("pending", 2, None, "wolkvox_codify", "next", 1)]


def test_a_record_that_was_put_off_waits_for_its_turn(ledger: Database, pull: Pull) -> None:
    pull(read(customer_id="1"), read(customer_id="2"), allowance=NEVER)
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour' WHERE customer_id = '1'")
    staged = pull(run="next")
    assert (staged.records, staged.waiting, taken(ledger, staged.chunks[0])) == (1, 2, ["2"])
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() - interval '1 second' WHERE customer_id = '1'")
    assert pull(run="later").records == 2


def test_a_suspended_campaign_is_left_alone_and_the_others_go_on(ledger: Database, pull: Pull) -> None:
    ledger.execute(SUSPEND, "10 minutes")
    staged = pull(*(of_age(-1, customer_id=n, campaign_id="666") for n in range(50)), read(customer_id="well"))
    assert (staged.records, staged.campaigns, staged.waiting) == (1, 1, 51)
    assert taken(ledger, staged.chunks[0]) == ["well"]


def test_a_suspended_campaign_of_which_alone_something_waits_makes_no_chunk_until_its_trial_is_due(
    ledger: Database, pull: Pull
) -> None:
    ledger.execute(SUSPEND, "10 minutes")
    assert pull(read(campaign_id="666")).chunks == []
    ledger.execute("UPDATE wolkvox.suspended_campaign SET until = now()")
    assert len(pull(run="next").chunks) == 1


def test_a_pause_that_a_clock_ahead_has_set_is_over(ledger: Database, pull: Pull) -> None:
    ledger.execute(SUSPEND, "3 days")
    assert len(pull(read(campaign_id="666")).chunks) == 1


def test_in_an_outage_one_worker_tries_when_that_is_due(ledger: Database, pull: Pull) -> None:
    open_breaker(ledger.connection, BREAKER, "overloaded_503", "message")
    staged = pull(*(of_age(n, customer_id=n) for n in range(50)), allowance=Allowance(outage=True))
    assert (staged.records, staged.chunks, staged.waiting) == (0, [], 50)
    staged = pull(run="next", allowance=Allowance(outage=True, trial=True))
    assert len(staged.chunks) == 1
    again = pull(run="third", allowance=Allowance(outage=True, trial=True))
    assert again.chunks == [], "one is under way"
    ledger.execute("UPDATE wolkvox.chunk SET closed_at = now()")
    assert pull(run="fourth", allowance=Allowance(0, outage=True, trial=True)).chunks == []


def test_somebody_who_waits_for_a_run_has_an_outage_tried_at_once(ledger: Database, pull: Pull) -> None:
    open_breaker(ledger.connection, BREAKER, "overloaded_503", "message")
    staged = pull(read(), allowance=Allowance(outage=True, trial=True), by_hand=True)
    with worker(ledger, staged.chunks[0]) as session:
        assert [record.customer_id for record in session.trials()] == ["1001"]


# The day's requests


def test_with_too_few_requests_left_the_newest_contacts_go_first(ledger: Database, pull: Pull) -> None:
    pull(*(of_age(-minute, customer_id=minute) for minute in range(6)), allowance=NEVER)
    staged = pull(of_age(-9, customer_id="newest"), run="next", allowance=Allowance(3))
    assert (staged.waiting, staged.records) == (7, 3)
    assert taken(ledger, staged.chunks[0], 3) == ["newest", "5", "4"]


def test_without_a_request_left_everything_waits_and_nobody_looks_until_the_day_is_over(
    ledger: Database, pull: Pull
) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.dag (dag_id, operation, wolkvox_conn_id) VALUES ('wolkvox_codify', '0041', 'c')"
    )
    quiet = "SELECT round(extract(epoch FROM quiet_until - clock_timestamp()) / 60) FROM wolkvox.dag"
    staged = pull(read(), allowance=Allowance(0, quiet_seconds=1_800.0))
    assert (staged.new, staged.waiting, staged.records, staged.chunks) == (1, 1, 0, [])
    assert (states(ledger), ledger.value(quiet)) == ({"pending": 1}, 30)
    pull(run="next", allowance=Allowance(0, quiet_seconds=36_000.0))
    assert ledger.value(quiet) == 60, "an hour at most: licences may be bought meanwhile"
    pull(run="later", allowance=Allowance(5))
    assert ledger.value(quiet) is None


def test_the_pause_of_a_suspended_campaign_does_not_grow_while_there_are_no_requests(
    ledger: Database, pull: Pull
) -> None:
    ledger.execute(SUSPEND, "-1 seconds")
    before = ledger.rows("SELECT trials, until FROM wolkvox.suspended_campaign")
    pull(*(read(customer_id=n, campaign_id="666") for n in range(50)), allowance=NEVER)
    pull(run="limited", limit=0)
    assert ledger.rows("SELECT trials, until FROM wolkvox.suspended_campaign") == before


# One customer


def test_one_customers_records_are_a_chunk_of_their_own_whatever_else_waits(ledger: Database, pull: Pull) -> None:
    ledger.execute(SUSPEND, "10 minutes")
    pull(
        *(of_age(-n, customer_id=n) for n in range(50)),
        of_age(500, customer_id="asked"),
        of_age(600, customer_id="asked", campaign_id="666"),
        of_age(700, customer_id="asked", campaign_id="18"),
        allowance=NEVER,
    )
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour' WHERE campaign_id = '18'")
    staged = pull(run="by hand", customer_id="asked", by_hand=True)
    assert ([chunk.records for chunk in staged.chunks], staged.records, staged.campaigns) == ([3], 3, 3)
    with worker(ledger, staged.chunks[0]) as session:
        assert [(record.customer_id, record.campaign_id) for record in session.take(20)] == [
            ("asked", "17"),
            ("asked", "666"),
            ("asked", "18"),
        ]
    assert len(pull(run="next").chunks) == 2, "nobody hands anything over to that worker"


def test_a_limit_and_the_days_requests_bound_one_customers_records_too(pull: Pull) -> None:
    contacts = [read(customer_id="asked", campaign_id=str(n)) for n in range(5)]
    assert pull(*contacts, customer_id="asked", limit=2).records == 2
    assert pull(run="next", customer_id="asked", allowance=Allowance(1)).records == 1
    assert pull(run="third", customer_id="asked", allowance=NEVER).chunks == []
    assert pull(run="fourth", customer_id="nobody").chunks == []


# What isn't sent any more


def test_another_operations_contacts_are_let_be(ledger: Database, pull: Pull) -> None:
    ledger.execute(
        "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, cod_act,"
        " contacted_at) VALUES (gen_random_uuid(), '0042', 'preview', '17', '1001', '5', %s)",
        NOON - timedelta(days=1),
    )
    staged = pull(read(), expire_after=timedelta(0), allowance=Allowance(codes=frozenset({"9"})))
    assert (staged.records, staged.waiting) == (0, 0)
    assert ledger.rows("SELECT state FROM wolkvox.codification WHERE operation = '0042'") == [("pending",)]


def test_what_waited_too_long_expires_in_sight(ledger: Database, pull: Pull) -> None:
    ages = {"coded": 40, "failed": 40, "pending": 32, "young": 30}
    now = ledger.value("SELECT now()")
    for name, days in ages.items():
        pull(read(customer_id=name, contacted_at=now - timedelta(days=days)), allowance=NEVER)
        if name in ("coded", "failed"):
            settle(ledger, name, name)
    staged = pull(run="next", expire_after=timedelta(days=31))
    assert (staged.expired, staged.waiting, staged.records) == (1, 1, 1)
    assert customers(ledger, "expired") == ["pending"]
    assert customers(ledger, "failed") == ["failed"]
    assert customers(ledger, "coded") == ["coded"]
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE state = 'expired' AND settled_at IS NULL") == 0


def test_a_code_the_operation_does_not_have_is_invalid(ledger: Database, pull: Pull) -> None:
    known = Allowance(codes=frozenset({"5"}))
    staged = pull(read(customer_id="1", cod_act="5"), read(customer_id="2", cod_act="05"), allowance=known)
    assert (staged.codes_unknown, staged.records) == (1, 1)
    assert ledger.rows("SELECT customer_id, reason FROM wolkvox.codification WHERE state = 'invalid'") == [
        ("2", "cod_act_unknown")
    ]


def test_what_a_run_retires_is_not_counted_among_what_it_sends(ledger: Database, pull: Pull) -> None:
    now = ledger.value("SELECT now()")
    left = {"superseded": now, "expired": now - timedelta(days=40), "code": now}
    pull(*(read(customer_id=name, cod_act=name, contacted_at=moment) for name, moment in left.items()), allowance=NEVER)
    staged = pull(
        read(customer_id="superseded", contacted_at=now + MINUTE),
        run="next",
        expire_after=timedelta(days=31),
        allowance=Allowance(codes=frozenset({"5", "superseded", "expired"})),
    )
    assert (staged.superseded, staged.expired, staged.codes_unknown, staged.records) == (1, 1, 1, 1)
    with worker(ledger, staged.chunks[0]) as session:
        code(session, *session.take(20))
    assert tally(ledger.connection, "next", staged.chunks[0].chunk_id).states == {"coded": 1}


# Offered again


@pytest.mark.parametrize(
    ("kind", "reopened"),
    [
        ("failed", ["timeout", "overload"]),
        ("rejected", ["code"]),
        ("unknown_timeout", ["timeout"]),
        ("refused_422", ["code"]),
        ("cod_act_unknown", ["unknown code"]),
        ("invalid", ["unknown code"]),
        ("coded", []),
        ("nothing_like_it", []),
    ],
)
def test_settled_records_of_a_kind_are_offered_again(
    ledger: Database, pull: Pull, kind: str, reopened: list[str]
) -> None:
    outcomes = {
        "timeout": ("failed", "unknown_timeout"),
        "overload": ("failed", "overloaded_500"),
        "code": ("rejected", "refused_422"),
        "done": ("coded", None),
        "unknown code": ("invalid", "cod_act_unknown"),
        "flawed": ("invalid", "comment_too_long"),
    }
    pull(*(read(customer_id=name) for name in outcomes))
    for name, (state, reason) in outcomes.items():
        settle(ledger, name, state, reason)
    staged = pull(run="next", allowance=Allowance(0), resend=Resend(kind, NOON, NOON + MINUTE))
    assert staged.reopened == len(reopened)
    assert customers(ledger, "pending") == reopened
    assert customers(ledger, "coded") == ["done"]


def test_what_was_answered_before_is_kept(ledger: Database, pull: Pull) -> None:
    pull(read())
    settle(ledger, "1001", "rejected", "refused_422")
    settled_at = ledger.value("SELECT settled_at FROM wolkvox.codification")
    assert pull(run="next", resend=Resend("rejected", NOON, NOON + MINUTE)).records == 1
    assert ledger.rows(
        "SELECT record.state, record.attempts, record.reason, record.response_code, record.response_msg,"
        " answer.state, answer.attempts, answer.reason, answer.response_code, answer.response_msg, answer.settled_at"
        " FROM wolkvox.answer JOIN wolkvox.codification AS record ON record.id = answer.codification_id"
    ) == [("pending", 0, None, None, None, "rejected", 1, "refused_422", "500", "oops", settled_at)]


def test_only_the_windows_records_are_offered_again(ledger: Database, pull: Pull) -> None:
    for minute in range(4):
        pull(read(customer_id=minute, contacted_at=NOON + minute * MINUTE))
        settle(ledger, str(minute), "rejected")
    pull(run="next", resend=Resend("rejected", NOON + MINUTE, NOON + 3 * MINUTE))
    assert customers(ledger, "pending") == ["1", "2"]


def test_an_older_contact_is_not_offered_again_after_a_newer_one_was_coded(ledger: Database, pull: Pull) -> None:
    pull(read())
    settle(ledger, "1001", "rejected")
    pull(read(contacted_at=NOON + MINUTE))
    settle(ledger, "1001", "coded")
    assert pull(run="next", resend=Resend("rejected", NOON, NOON + MINUTE)).records == 0
    assert states(ledger) == {"superseded": 1, "coded": 1}


# Dry runs


def snapshot(ledger: Database) -> dict[str, list[tuple[Any, ...]]]:
    tables = ledger.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'wolkvox' ORDER BY 1")
    return {name: ledger.rows(f"SELECT * FROM wolkvox.{name} ORDER BY 1") for (name,) in tables}


def test_a_dry_run_counts_everything_and_changes_nothing(ledger: Database, pull: Pull) -> None:
    now = ledger.value("SELECT now()")
    pull(
        *(read(customer_id=name, contacted_at=now) for name in ("failed", "rejected", "older")),
        read(customer_id="old"),
        allowance=NEVER,
    )
    settle(ledger, "failed", "failed")
    settle(ledger, "rejected", "rejected")
    before = snapshot(ledger)
    window = [read(customer_id="new", contacted_at=now), read(customer_id=None), read(customer_id="old")]
    options: dict[str, Any] = {
        "run": "dry",
        "resend": Resend("rejected", now, now + MINUTE),
        "expire_after": now - NOON - MINUTE,
    }
    newer = read(customer_id="older", contacted_at=now + MINUTE)
    dry = pull(*window, newer, keep=False, **options)
    assert snapshot(ledger) == before
    assert len(dry.chunks) == 1
    assert dry.counts() == {
        "pulled": 4,
        "new": 2,
        "held": 0,
        "invalid": 1,
        "known": 1,
        "superseded": 1,
        "expired": 1,
        "codes_unknown": 0,
        "reopened": 1,
        "waiting": 3,
        "records": 3,
        "handed_over": 0,
        "campaigns": 1,
    }
    assert pull(*window, newer, **options).counts() == dry.counts()


def test_a_dry_run_of_one_customer_or_with_a_limit_changes_nothing(ledger: Database, pull: Pull) -> None:
    pull(*(read(customer_id=n) for n in range(30)), allowance=NEVER)
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 hour' WHERE customer_id = '1'")
    before = snapshot(ledger)
    assert pull(read(customer_id="1"), run="dry", customer_id="1", keep=False).records == 1
    assert pull(run="dry", limit=5, keep=False).records == 5
    assert snapshot(ledger) == before


def test_two_stages_at_once_make_the_chunks_of_one(ledger: Database) -> None:
    contacts = [read(customer_id=number) for number in range(3_000)]
    staged: list[Staged] = []
    together = Barrier(2)

    def run(name: str) -> None:
        with connected("wolkvox_ledger") as connection:
            together.wait()
            staged.append(stage_in(connection, contacts, name))

    threads = [Thread(target=run, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each.new for each in staged) == 3_000
    assert states(ledger) == {"pending": 3_000}
    assert sorted(len(each.chunks) for each in staged) == [0, 2]
    assert sorted(each.handed_over for each in staged) == [0, 3_000]
