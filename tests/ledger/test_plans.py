"""What a run and the page ask a ledger full of history for is found by an index."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from conftest import Database
from ledger_history import fill_history
from staged import RULES, stage_in, worker

from wolkvox.ledger import exports
from wolkvox.ledger.breaker import begin_outage
from wolkvox.ledger.connection import LedgerConnection, sql
from wolkvox.ledger.faults import answered_since, judge
from wolkvox.ledger.figures import count_closed_spans, run_lag
from wolkvox.ledger.latest import latest
from wolkvox.ledger.reports import backlog, seconds_per_call, tally, waiting_since
from wolkvox.ledger.runs import account
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.slots import sweep
from wolkvox.ledger.suspension import campaign_trials
from wolkvox.ledger.workers import chunks_wanted, others_wait, sendable, under_way
from wolkvox.page.queries import last_runs, unfinished
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.exports import Exported
from wolkvox.rules.faults import Fault
from wolkvox.rules.patience import Patience
from wolkvox.rules.records import Settled
from wolkvox.rules.runs import Allowance, Resend, Run
from wolkvox.rules.spans import shown_spans

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
        assert session.advance(Settled(first.id, "rejected", "refused_422", "422", "no"), second.id)
        refused = Fault(first.id, first.campaign, "refused_422", "422 NO", "Look.", refused=True)
        session.count(refused)
        failed = Fault(second.id, second.campaign, "overloaded_500", "500", "Look.", refused=False)
        session.count(failed)
        judge(connection, session._breaker, failed)
        session.is_outdated(second)
        session.another([first.campaign])
        session.take_back({first.id: 1})
        answered_since(connection, "0041", NOW)
        connection.execute(
            "INSERT INTO wolkvox.parked (operation, type_campaign, campaign_id, reason, since, until)"
            " VALUES ('0041', 'predictive', '101', 'not_found', now(), now() - interval '1 second')"
        )
        assert campaign_trials(connection, "0041", Patience(), 20)
        begin_outage(connection, session._breaker, "overloaded_503", "words")
        connection.execute("UPDATE wolkvox.outage SET until = now()")
        assert session.trials()
        session.end_outage()
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
        seconds_per_call(connection, "0041")
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
    for name in (*taking, "answered_since", "other_campaign", "another", "close_chunk", "account", "take_back"):
        assert sql(name) in plans, f"{name} was not looked at"
    whole = [(query, plan) for query, found in plans.items() for plan in found if "Seq Scan" in scans(plan)]
    assert not whole, "\n\n".join(f"{query}\n{json.dumps(plan, indent=1)}" for query, plan in whole)
    judged = [index for query, (plan, *_) in plans.items() if "%(fewest)s" in query for index in indexes(plan)]
    assert judged.count("codification_settled") == 2, "the operation's own, whatever others settle"
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
    settled = exports.settle(connection, run, campaign, skip_handled=True, strangers_are_known=True)
    assert settled == exports.settled_in(connection, run) == exports.Settled(already_coded=1_000)
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
    looked_at, by = rows_read(connection, "take", values)
    assert by & {"codification_waiting"}
    assert looked_at <= 40


def test_records_that_were_just_sent_are_not_passed_again_by_each_worker(connection: LedgerConnection) -> None:
    """A snapshot that is open somewhere keeps their entries in the index; each is looked at once, and then left."""
    connection.execute(BACKLOG, (NOW, None, 30_000))
    connection.execute(
        "UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE id IN"
        " (SELECT id FROM wolkvox.codification WHERE state = 'pending' ORDER BY contacted_at DESC, id DESC LIMIT 10000)"
    )
    values = {**TAKE, "made_at": NOW + timedelta(hours=1)}
    rows_read(connection, "take", values)
    looked_at, by = rows_read(connection, "take", values)
    assert by & {"codification_waiting"}
    assert looked_at <= 40
