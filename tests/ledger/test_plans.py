"""What a run and the page ask a ledger full of history for is found by an index."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from conftest import Database, Databases
from ledger_history import fill_history
from staged import RULES, stage_in, worker

from wolkvox.ledger import exports
from wolkvox.ledger.breaker import open_breaker
from wolkvox.ledger.connection import LedgerConnection, sql
from wolkvox.ledger.faults import answered_since, judge
from wolkvox.ledger.figures import count_closed_spans, run_lag
from wolkvox.ledger.latest import latest
from wolkvox.ledger.leases import sweep
from wolkvox.ledger.reports import backlog, seconds_per_request, tally, waiting_since
from wolkvox.ledger.runs import account
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.suspension import campaign_trials
from wolkvox.ledger.workers import chunks_wanted, others_wait, sendable, under_way
from wolkvox.page import queries
from wolkvox.page.queries import last_runs, unfinished
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.exports import Exported
from wolkvox.rules.faults import Fault
from wolkvox.rules.records import Settled
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Allowance, Resend, Run
from wolkvox.rules.spans import shown_spans
from wolkvox.rules.states import State

HISTORY = 200_000
NOW = datetime.now(timezone.utc)
ADVANCE = "EXECUTE advance (1, 'coded', NULL, '202', 'coded', 0, 2, 'chunk', 'ab/0', '{ab/0}', NULL, 'd', 'r', 1)"
TAKE = {"operation": "0041", "slot": "ab/0", "most": 40, "kept": [], "exports": False}
BACKLOG = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, not_before
)
SELECT
    gen_random_uuid(), '0041', 'predictive', (100 + n %% 20)::text, n::text, '141', %s, %s
FROM generate_series(1, %s) AS n
"""

Plans = dict[str, list[dict[str, Any]]]


class Explaining(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that keeps the plan of every statement on the ledger's rows."""

    plans: Plans

    def execute(self, query: Any, params: Any = None, **options: Any) -> "Explaining":
        """Explain the statement, then run it."""
        if isinstance(query, str) and "wolkvox.codification" in query and "PREPARE" not in query:
            super().execute(f"EXPLAIN (FORMAT JSON) {query}", params)
            row = self.fetchone()
            assert row is not None
            self.plans.setdefault(query, []).append(row[0][0]["Plan"])
        return super().execute(query, params, **options)


@pytest.fixture
def plans() -> Plans:
    """What was explained, by statement."""
    return {}


@pytest.fixture
def connection(ledger: Database, plans: Plans) -> Iterator[LedgerConnection]:
    """A ledger with much history, whose statements are explained."""
    fill_history(ledger.connection, HISTORY)
    cursor = type("Cursor", (Explaining,), {"plans": plans})
    with LedgerConnection.connect(ledger.uri, autocommit=True, cursor_factory=cursor) as connection:
        yield connection


def contacts(first: int, count: int) -> Iterator[Contact]:
    """Contacts of the last minutes, some of whose customers are in the history."""
    for n in range(first, first + count):
        row = ("predictive", str(100 + n % 20), str(900_000_000 + n), "141", None, None, NOW - timedelta(seconds=n))
        yield read_contact(row, operation="0041", zone=timezone.utc)


def scans(plan: dict[str, Any]) -> Iterator[str]:
    """How the ledger's rows are found, anywhere in the plan."""
    if plan.get("Relation Name") == "codification" and plan["Node Type"] != "ModifyTable":
        yield plan["Node Type"]
    for part in plan.get("Plans", []):
        yield from scans(part)


def indexes(plan: dict[str, Any]) -> Iterator[str]:
    """The indexes a plan uses."""
    if "Index Name" in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", []):
        yield from indexes(part)


def rows_read(connection: LedgerConnection, name: str, values: dict[str, Any]) -> tuple[int, set[str]]:
    """How many of the ledger's rows a statement looks at, those that it leaves out among them, and by which indexes."""
    with psycopg.Cursor(connection) as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql(name)}".encode(), values)
        row = cursor.fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return sum(_looked_at(plan)), set(indexes(plan))


def _looked_at(plan: dict[str, Any]) -> Iterator[int]:
    if plan.get("Relation Name") == "codification":
        left_out = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
        yield (plan["Actual Rows"] + left_out) * plan["Actual Loops"]
    for part in plan.get("Plans", []):
        yield from _looked_at(part)


def explaining(connection: LedgerConnection, session: ChunkSession) -> ChunkSession:
    """The session of a worker on the connection that keeps the plans."""
    session._connect = lambda: connection
    return session


def test_no_statement_reads_the_whole_ledger(ledger: Database, connection: LedgerConnection, plans: Plans) -> None:
    staged = stage_in(
        connection,
        contacts(HISTORY - 1_000, 2_000),
        allowance=Allowance(1_500, frozenset({"141"})),
        expire_after=timedelta(days=31),
        most_chunks=10,
        resend=Resend("failed", NOW - timedelta(days=1), NOW),
    )
    limited = stage_in(connection, [], "by hand", customer_id=str(900_000_000 + HISTORY))
    only = limited.chunks[0]
    with worker(ledger, only) as session:
        session._connection, other = connection, session._connection
        session.take(20)
        session._connection = other
    explained = explaining(connection, worker(ledger, staged.chunks[0]))
    with worker(ledger, staged.chunks[1]) as other_worker, explained as session:
        assert other_worker.take(20)
        first, second = session.take(20)[:2]
        assert session.advance(None, first.id)
        assert session.advance(Settled(first.id, State.REJECTED, "refused_422", "422", "no"), second.id)
        refused = Fault(first.id, first.campaign, "refused_422", "422 NO", "Look.", refused=True)
        session.count(refused)
        failed = Fault(second.id, second.campaign, "overloaded_500", "500", "Look.", refused=False)
        session.count(failed)
        judge(connection, session._breaker, failed)
        session.is_outdated(second)
        session.another([first.campaign])
        session.revert_attempts({first.id: 1})
        answered_since(connection, "0041", NOW)
        connection.execute(
            "INSERT INTO wolkvox.suspended_campaign (operation, type_campaign, campaign_id, reason, since, until)"
            " VALUES ('0041', 'predictive', '101', 'not_found', now(), now() - interval '1 second')"
        )
        assert campaign_trials(connection, "0041", RetryPolicy(), 20)
        open_breaker(connection, session._breaker, "overloaded_503", "message")
        connection.execute("UPDATE wolkvox.circuit_breaker SET until = now()")
        assert session.trials()
        session.close_breaker()
        session.resume(first.campaign)
        session.is_last()
        session.is_awaited()
        assert not session.close()
        sendable(connection, "0041")
        chunks_wanted(connection, "0041")
        under_way(connection, "0041")
        others_wait(connection, staged.chunks[0].chunk_id)
        slot = {"operation": "0041", "slot": session._slots[-1], "made_at": NOW, "most": 20, "kept": []}
        assert connection.execute(sql("take_over"), slot).fetchall()
        connection.execute(
            sql("other_campaign"),
            {"operation": "0041", "type_campaign": "predictive", "campaign_id": "100", "recent": timedelta(days=1)},
        )
        session.run(session._orphaned)
        session.run(lambda _: sweep(connection, RULES))
        chunk_ids = [chunk.chunk_id for chunk in staged.chunks]
        connection.execute(sql("close_chunk"), {"chunk_id": chunk_ids[0]})
        tally(connection, "run", chunk_ids[0])
        account(connection, Run("0041", "wolkvox_codify", "run"), chunk_ids)
        backlog(connection, "0041")
        seconds_per_request(connection, "0041")
        run_lag(connection, "run", chunk_ids)
        latest(connection, "0041", [("predictive", "100")], NOW)
        spans = shown_spans(NOW, "UTC")
        count_closed_spans(connection, "0041", spans)
        unfinished(connection, "0041")
        last_runs(connection, "0041", {("predictive", "100"): NOW})
        for mode in ("force_custom_plan", "force_generic_plan"):
            connection.execute(f"SET plan_cache_mode = {mode}".encode())
            row = connection.execute(f"EXPLAIN (FORMAT JSON) {ADVANCE}".encode()).fetchone()
            assert row is not None
            plans[f"advance, {mode}"] = [row[0][0]["Plan"]]

    taking = ("take", "take_only", "take_over", "trials", "trials_of_all", "sendable")
    for name in (*taking, "answered_since", "other_campaign", "another", "close_chunk", "account", "revert_attempts"):
        assert sql(name) in plans, f"{name} was not looked at"
    whole = [(query, plan) for query, found in plans.items() for plan in found if "Seq Scan" in scans(plan)]
    assert not whole, "\n\n".join(f"{query}\n{json.dumps(plan, indent=1)}" for query, plan in whole)
    judged = [index for query, (plan, *_) in plans.items() if "%(fewest)s" in query for index in indexes(plan)]
    of_the_operation = {"codification_settled", "codification_state"}
    assert len([index for index in judged if index in of_the_operation]) == 2, "whatever others settle"
    advance = [index for query, (plan, *_) in plans.items() if query.startswith("advance") for index in indexes(plan)]
    assert set(advance) == {"codification_pkey"}


def test_an_export_is_compared_without_reading_the_history(
    ledger: Database, connection: LedgerConnection, plans: Plans
) -> None:
    connection.execute(BACKLOG, (NOW, None, 20_000))
    ledger.execute("ANALYZE wolkvox.codification")
    assert [campaign for campaign, _ in exports.campaigns_to_ask_for(connection, "0041", 500)][:1] == ["100"]
    assert exports.seconds_until_due(connection, "0041", "101") == 0.0
    exports.note_export(connection, "0041", "101")
    there = (Exported(str(number), "141", "") for number in range(1, 20_001, 2))
    exports.load(connection, there)
    run, campaign = Run("0041", "wolkvox_codify", "run"), ("predictive", "101")
    compared = exports.compare(connection, "0041", campaign)
    assert (compared.waiting, compared.strangers, compared.confirmed) == (1_000, 0, 0)
    settled = exports.settle(connection, run, campaign, compared, skip_handled=True)
    assert settled == exports.settled_in(connection, run) == exports.SettledByExports(already_coded=1_000)
    waiting_since(connection, "0041", NOW - timedelta(days=1))
    read = {query: plan for query, found in plans.items() for plan in found}
    assert len(read) >= 5
    whole = [query for query, plan in read.items() if "Seq Scan" in scans(plan)]
    assert not whole, "\n\n".join(f"{query}\n{json.dumps(read[query], indent=1)}" for query in whole)


def test_twenty_of_a_large_backlog_of_one_day_are_found_by_looking_at_few(
    ledger: Database, connection: LedgerConnection
) -> None:
    """Where the warehouse keeps days only, all contacts of a day are of one timestamp."""
    connection.execute(BACKLOG, (NOW, None, 100_000))
    ledger.execute("ANALYZE wolkvox.codification")
    values = {**TAKE, "made_at": NOW + timedelta(hours=1)}
    synced_at, by = rows_read(connection, "take", values)
    assert by & {"codification_waiting"}
    assert synced_at <= 40


def test_records_that_were_just_sent_are_not_passed_again_by_each_worker(connection: LedgerConnection) -> None:
    """A snapshot that is open somewhere keeps their entries in the index; each is looked at once, and then left."""
    connection.execute(BACKLOG, (NOW, None, 30_000))
    connection.execute(
        "UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE id IN"
        " (SELECT id FROM wolkvox.codification WHERE state = 'pending' ORDER BY contacted_at DESC, id DESC LIMIT 10000)"
    )
    values = {**TAKE, "made_at": NOW + timedelta(hours=1)}
    rows_read(connection, "take", values)
    synced_at, by = rows_read(connection, "take", values)
    assert by & {"codification_waiting"}
    assert synced_at <= 40


# --- every statement, on a ledger of a million contacts

MILLION = 1_000_000
HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=31)
# What else two years leave behind: answers, dials, runs, their chunks, counted spans, and a small operation beside it.
REST = """
INSERT INTO wolkvox.answer (codification_id, state, attempts)
SELECT n, 'pending', 1 FROM generate_series(1, 999999, 20) AS n;
INSERT INTO wolkvox.dial (codification_id, dialled_at, breach)
SELECT id, settled_at + interval '1 hour', CASE WHEN id % 600 = 0 THEN 'lag' END
FROM wolkvox.codification WHERE id % 15 = 0 AND settled_at IS NOT NULL;
INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, window_start, window_end, state, began_at, ended_at)
SELECT '0041', 'wolkvox_codify', 'run ' || n, at - interval '1 day', at, 'success', at, at + interval '5 minutes'
FROM (SELECT n, now() - n * interval '15 minutes' AS at FROM generate_series(1, 50000) AS n) AS runs;
INSERT INTO wolkvox.chunk (chunk_id, operation, dag_id, dag_run_id, number, ids, closed_at, began_at, fingerprint)
SELECT md5('chunk ' || n), '0041', 'wolkvox_codify', 'run ' || n, 1, ARRAY[n], now(), now(), 7
FROM generate_series(1, 3000) AS n;
INSERT INTO wolkvox.ingest_count (operation, staged_at, records)
SELECT '0041', now() - n * interval '2 minutes', 20 FROM generate_series(1, 40000) AS n;
INSERT INTO wolkvox.contact_version
SELECT '0041', contact_key, gen_random_uuid() FROM wolkvox.codification WHERE id % 500 = 0;
INSERT INTO wolkvox.impact
SELECT '0041', day, 'predictive', (100 + n)::text, 5, 0, 0, 0, array_fill(0, ARRAY[12])
FROM generate_series(current_date - 700, current_date, interval '1 day') AS day, generate_series(0, 19) AS n;
INSERT INTO wolkvox.monthly_total
SELECT '0041', month, 'predictive', (100 + n)::text, 'coded', NULL, 5
FROM generate_series('2020-01-01'::date, '2025-01-01', interval '1 month') AS month, generate_series(0, 99) AS n;
INSERT INTO wolkvox.daily_digest
SELECT '0041', day, 5, '', '', now(), '', '-infinity'
FROM generate_series(current_date - 4000, current_date - 36, interval '1 day') AS day;
INSERT INTO wolkvox.quota (account, day, requests)
SELECT operation, day, 5 FROM unnest(ARRAY['0041', 'other']) AS operation,
    generate_series(current_date - 4000, current_date, interval '1 day') AS day;
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, settled_at, reason
)
SELECT gen_random_uuid(), 'small', 'preview', '7', n::text, '5', now() - n * interval '1 day', state,
    CASE WHEN state <> 'pending' THEN now() - n * interval '1 day' END, 'refused_422'
FROM generate_series(1, 30) AS n, unnest(ARRAY['coded', 'rejected', 'pending']) AS state;
INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, contacted_at, state,
    settled_at)
SELECT gen_random_uuid(), '0041', 'predictive', '999', n::text, now() - n * interval '1 hour', 'failed', now()
FROM generate_series(1, 50) AS n;
INSERT INTO wolkvox.hold (operation, dag_id, dag_run_id, why, records)
VALUES ('0041', 'wolkvox_codify', 'run 1', '[]', 50);
INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, contacted_at, state,
    settled_at, hold_id)
SELECT gen_random_uuid(), '0041', 'predictive', '105', 'held ' || n, now(), 'held', now(), 1
FROM generate_series(1, 50) AS n;
INSERT INTO wolkvox.suspended_campaign
SELECT '0041', 'predictive', (100 + n)::text, 'not_found', NULL, now(), now() FROM generate_series(18, 19) AS n;
INSERT INTO wolkvox.slot
SELECT 'ab12cd34/' || n, '0041', 7, n, 'd', 'r', 'codify', 0, 1, 'host', 1, now() FROM generate_series(0, 1) AS n;
INSERT INTO exported
SELECT (900000000 + 20 * n + 5)::text, '141', '', now() - interval '1 day', '', false, 'ANSWER', 1
FROM generate_series(45000, 49999) AS n;
INSERT INTO incoming (contact_key, customer_id) SELECT gen_random_uuid(), n::text FROM generate_series(1, 20000) AS n;
INSERT INTO seen SELECT contact_key FROM wolkvox.codification WHERE id % 100000 = 0;
"""
# Whose rows grow with the years.
GROWING = {
    *("codification", "answer", "dial", "run", "chunk", "ingest_count", "contact_version", "impact", "monthly_total"),
    *("daily_digest", "quota"),
}
CONTACT: dict[str, Any] = {"type_campaign": "predictive", "campaign_id": "105", "customer_id": "900999985"}
VALUES: dict[str, Any] = {
    **CONTACT,
    **{"operation": "0041", "account": "0041", "dag_id": "wolkvox_codify", "dag_run_id": "history 49", "task_id": "t"},
    **{"chunk_id": "0a4dc1d8d9ba5c61ae1e8ec9ae4a2f0b", "chunk_ids": ["a", "b"], "number": 1, "map_index": 0},
    **{"try_number": 1, "host": "host", "pid": 1, "fingerprint": 7, "slot": "ab12cd34/0", "prefix": "ab12cd34/"},
    **{"slots": 2, "mine": None, "own": [], "silence": HOUR, "call_timeout": HOUR, "start": HOUR, "enough": HOUR},
    **{"now": NOW, "since": NOW - MONTH, "begun": NOW, "began_at": NOW, "made_at": NOW + HOUR, "last": None},
    **{"window": HOUR, "longest": DAY, "fewest": 50, "most": 20, "weeks": 4, "belief": HOUR, "doubt": HOUR},
    **{"again": HOUR, "recent": DAY, "margin": timedelta(minutes=1), "expire_after": MONTH, "overlap": HOUR},
    **{"counts_for": MONTH, "pause": HOUR, "quiet": HOUR, "window_start": NOW - DAY, "window_end": NOW},
    **{"ids": [MILLION - 5], "keys": [uuid4()], "spare": [uuid4()], "customers": ["900999985"], "kept": []},
    **{"states": ["coded", "rejected", "failed"], "types": ["predictive"], "campaigns": ["105"], "lasts": [NOW]},
    **{"codes": ["141"], "misfits": ["not_found"], "reason": "not_found", "message": "No.", "kind": "failed"},
    **{"starts": [NOW - DAY], "ends": [NOW], "mark": MILLION - 10, "above": MILLION - 10, "place": "a table"},
    **{"budget": 100, "trials": 3, "only": None, "exports": False, "skip_handled": True, "moves_date": False},
    **{"day": (NOW - 40 * DAY).date(), "zone": "America/Bogota", "batch": 10_000, "limit": 101, "dialled": None},
    **{"before": None, "before_at": None, "until": None, "run": None, "dag": None, "chunk": None, "after": 1_000},
    **{"id": MILLION, "requests": 5, "name": uuid4(), "used_up": None, "want": 50, "over_limit": 0, "as_latest": True},
    **{
        "own_limit": 9,
        "vendor_left": 9,
        "reserved": 0,
        "reserve": 0,
        "daily_requests": 9,
        "wolkvox_conn_id": "w",
        "by_hand": False,
    },
    **{"cron": None, "timezone": "UTC", "wake": None, "usual": True, "began_by": "event", "rows": 5, "newest": "x"},
    **{"fruitful": True, "saw": "x", "repeats": 0, "lock": 1, "time": HOUR, "recipient": "ana", "alert": "a"},
    **{"hold": 1, "message": "m", "firing_since": NOW, "seen_at": NOW, "resolved_at": None, "resolved": False},
}
# What differs from these, where one name means several things; a list: more than one way to ask.
ASKED: dict[str, dict[str, Any] | list[dict[str, Any]]] = {
    "anonymise": {"keys": [uuid4()]},
    "another": {"campaigns": ["predictive 105"]},
    "answered_since": [{"campaign_id": ""}, {}],
    "compare_export": {"confirmed": HOUR},
    "fresh": {"days": [0, 1, 7], "target": 360.0},
    "service_level": {"since": NOW - DAY, "until": NOW, "target": 360.0},
    "heat": {"zone": "America/Bogota", "since": NOW - timedelta(days=28), "until": NOW, "most": 100},
    "due_trials": {"first": 900.0, "longest": 28_800.0},
    "empty_odd": {"second_codes": [None], "channels": [None]},
    "forget": {"before": NOW - timedelta(days=600)},
    "intake": {"ahead": HOUR},
    "note_alert": {"name": "outage", "again": False},
    "results": {"since": NOW - HOUR},
    "reopen": [{"customer_id": None}, {}, {"window_start": NOW - MONTH}],
    "sendable": [{"most": None}, {}],
    "revert_attempts": {"requests": [1]},
    "count_impact": {"since": NOW - MONTH},
    "usual_campaigns": {"weeks": 28 * DAY},
    "usual_hours": {"weeks": 28 * DAY},
    "trials_of_all": [{}, {"only": [5]}],
    "runs": [{"since": None}, {"before": NOW - DAY, "since": None}, {"dag": "wolkvox_codify", "since": NOW - MONTH}],
    "settle_by_export": {
        "compared_again": DAY,
        "ask_again": HOUR,
        "strangers_are_known": True,
        "absent_are_known": True,
    },
    "to_anonymise": {"since": NOW - 181 * DAY, "until": NOW - 180 * DAY, "before": NOW, "left_over": [5]},
    "to_digest": {"begins": NOW - 40 * DAY, "ends": NOW - 39 * DAY, "noted_before": NOW},
}
# The page's lists: with each filter, those that nothing fits among them, and the last page of each.
EVERY: dict[str, Any] = {**dict.fromkeys(("type_campaign", "campaign_id", "reason", "since")), "state": "coded"}
LAST = {"before": 500, "before_at": NOW - timedelta(days=699)}
LISTS: dict[str, dict[str, Any]] = {
    "coded": {},
    "rejected": {"state": "rejected"},
    "of which there are none": {"state": "expired"},
    "of which there are few": {"state": "failed"},
    "waiting": {"state": "pending"},
    "being sent": {"state": "sending"},
    "of a campaign": {"campaign_id": "105", "type_campaign": "predictive"},
    "of a campaign's superseded": {"campaign_id": "105", "state": "superseded"},
    "of a campaign that has none": {"campaign_id": "404"},
    "of a campaign of which others have many": {"campaign_id": "999"},
    "of a campaign with a few failed": {"campaign_id": "999", "state": "failed"},
    "of a reason": {"reason": "refused_422", "state": "rejected"},
    "of a reason that none has": {"reason": "nothing", "state": "coded"},
    "of a small operation's reason": {"operation": "small", "reason": "refused_422", "state": "rejected"},
    "of a small operation": {"operation": "small"},
    "of an old day": {"since": NOW - timedelta(days=500), "until": NOW - timedelta(days=499)},
    "of an old day and campaign": {"campaign_id": "105", "since": NOW - 500 * DAY, "until": NOW - 499 * DAY},
    "of an old day's rejected": {"state": "rejected", "since": NOW - 500 * DAY, "until": NOW - 499 * DAY},
    "of a day to come": {"since": NOW + DAY},
    "of a run": {"run": "history 20", "dag": "wolkvox_codify"},
    "of a run's rejected": {"run": "history 20", "state": "rejected"},
    "of a run that is not known": {"run": "nothing"},
    "to the end": LAST,
    "of a campaign to the end": {**LAST, "campaign_id": "105"},
    "dialled after": {"dialled": "after"},
    "dialled after, of a campaign": {"dialled": "after", "campaign_id": "105"},
    "dialled for a cause": {"dialled": "lag"},
    "dialled for a cause that none has": {"dialled": "quota"},
}
# Contacts of a million: a run, a month, and what waits are read whole; of a list, no more than a run.
MOST_READ, MOST_READ_OF_A_LIST = 100_000, 25_000
# Statements that read a whole table that may grow: which, and why they may.
WHOLE = {
    "see_changed": ({"contact_version"}, "with each batch of 20,000: as few as there are codes that were changed"),
    "operations": ({"codification", "daily_digest"}, "once a night; digests are one a day and operation"),
    "changed_back": ({"contact_version"}, "once a stage that has seen one of them"),
}
OF_THE_AUDIT = "explained as an audit executes it, in test_plans_of_audits"
NOT_EXPLAINED = {
    "exported": "makes a table of the session",
    "incoming": "makes tables of the session",
    "prepare_advance": "explained as it is executed, above",
    "prepare_flush": "touches no table",
    "every": "the page's lists begin with it",
    "dialled": "the page's lists begin with it",
    "rows": "the page's lists, below",
    "audit_by_export": OF_THE_AUDIT,
    "campaigns_to_audit": OF_THE_AUDIT,
    "count_dates": OF_THE_AUDIT,
    "count_impact": OF_THE_AUDIT,
    "forget_own_dates": OF_THE_AUDIT,
    "keep_impact": OF_THE_AUDIT,
    "load_recent": OF_THE_AUDIT,
    "note_dials": OF_THE_AUDIT,
    "offer_missing": OF_THE_AUDIT,
    "recent": "makes a table of the session",
}
FOLDERS = {"ledger": sql, "page": queries.sql}
STATEMENTS = {
    path.stem: room
    for room in FOLDERS
    for path in sorted((Path(queries.__file__).parents[1] / room / "sql").glob("*.sql"))
}


@pytest.fixture(scope="module")
def million(databases: Databases, ledger_template: str) -> Iterator[psycopg.Connection[Any]]:
    """A session of a ledger of a million contacts, with what a stage and an audit load into tables of their own."""
    with databases.made(ledger_template) as database:
        ledger = database.connection
        fill_history(ledger, MILLION, timedelta(hours=1))
        with ledger.transaction():
            ledger.execute(BACKLOG, (NOW, None, 5_000))
            for table in ("incoming", "exported"):
                ledger.execute(sql(table).replace("ON COMMIT DROP", "").encode())
            ledger.execute(REST.encode())
        ledger.execute("VACUUM ANALYZE")
        yield ledger


def explained(ledger: psycopg.Connection[Any], statement: str, values: dict[str, Any], how: str = "") -> dict[str, Any]:
    """The plan of a statement with these values; nothing is changed."""
    with ledger.transaction(force_rollback=True):
        row = ledger.execute(f"EXPLAIN ({how}FORMAT JSON) {statement}".encode(), values, prepare=False).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def read_whole(plan: dict[str, Any]) -> Iterator[str]:
    """The growing tables that a plan reads from end to end."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in GROWING:
        yield plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from read_whole(part)


@pytest.mark.parametrize("name", sorted(set(STATEMENTS) - set(NOT_EXPLAINED)))
def test_every_statement_finds_its_rows_by_an_index(million: psycopg.Connection[Any], name: str) -> None:
    asked = ASKED.get(name, {})
    for values in asked if isinstance(asked, list) else [asked]:
        plan = explained(million, FOLDERS[STATEMENTS[name]](name), {**VALUES, **values}, "ANALYZE, ")
        may, _ = WHOLE.get(name, (set(), ""))
        assert set(read_whole(plan)) <= may, f"{values}\n{json.dumps(plan, indent=1)}"
        assert "codification" in may or sum(_looked_at(plan)) < MOST_READ, f"{values}\n{json.dumps(plan, indent=1)}"


def test_every_statement_that_is_left_out_is_there() -> None:
    assert set(STATEMENTS) >= {*NOT_EXPLAINED, *WHOLE, *ASKED}


@pytest.mark.parametrize("which", LISTS)
def test_every_list_of_the_page_reads_little_more_than_it_shows(million: psycopg.Connection[Any], which: str) -> None:
    values = {**VALUES, **EVERY, **LISTS[which]}
    statement = (queries.sql("dialled") if values["dialled"] else queries.sql("every")) + queries.sql("rows")
    plan = explained(million, statement, values, "ANALYZE, ")
    assert list(read_whole(plan)) in ([], ["dial"]), json.dumps(plan, indent=1)
    assert sum(_looked_at(plan)) < MOST_READ_OF_A_LIST, json.dumps(plan, indent=1)
