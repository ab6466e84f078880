"""What a run and the page ask a ledger full of history for is found by an index."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from conftest import Database
from ledger_history import fill_history

from wolkvox.ledger.connection import LedgerConnection
from wolkvox.ledger.faults import choose_probes
from wolkvox.ledger.figures import count_closed_spans, run_lag
from wolkvox.ledger.latest import latest
from wolkvox.ledger.reports import backlog, seconds_per_call, tally
from wolkvox.ledger.runs import account
from wolkvox.ledger.sending import ChunkSession
from wolkvox.ledger.slots import Holder, SlotRules, sweep
from wolkvox.ledger.staging import Allowance, Pace, Resend, Run, stage
from wolkvox.page.queries import last_runs, unfinished
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.contacts import Contact, read_contact
from wolkvox.rules.patience import Patience
from wolkvox.rules.records import Settled
from wolkvox.rules.spans import shown_spans
from wolkvox.stop import Stop

HISTORY = 200_000
NOW = datetime.now(timezone.utc)
RULES = SlotRules(fingerprint=7, operation="0041", call_timeout=65.0, patience=1.0)
HOLDER = Holder("wolkvox_codify", "run", "codify", 0, 1)
ADVANCE = "EXECUTE advance (1, 'coded', NULL, '202', 'coded', 0, 2, 'chunk', 'ab/0', '{ab/0}', NULL)"

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


def test_no_statement_reads_the_whole_ledger(connection: LedgerConnection, plans: Plans) -> None:
    staged = stage(
        connection,
        contacts(HISTORY - 1_000, 2_000),
        run=Run("0041", "wolkvox_codify", "run"),
        ask=lambda: Allowance(1_500, frozenset({"141"})),
        pace=Pace(3_600.0, 0.05),
        expire_after=timedelta(days=31),
        most_chunks=10,
        resend=Resend("failed", NOW - timedelta(days=1), NOW),
    )
    with ChunkSession(lambda: connection, staged.chunks[0], RULES, HOLDER, Stop()) as session:
        first, second = session.waiting()[:2]
        assert session.advance(None, first.id)
        assert session.advance(Settled(first.id, "rejected", "refused_422", "422", "no"), second.id)
        answer = Answer(Kind.REJECTED, "refused_422", "422", "no")
        session.refused(first, answer, "422 NO", False, False)
        session.begin_outage("overloaded_503", "words", {first.id: 1})
        session.end_outage()
        session.unpark(first.campaign)
        session.unanswered()
        choose_probes(connection, "0041", Patience())
        session.run(session._orphaned)
        session.run(lambda _: sweep(connection, RULES))
        chunk_ids = [chunk.chunk_id for chunk in staged.chunks]
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

    assert len(plans) >= 20
    whole = [(query, plan) for query, found in plans.items() for plan in found if "Seq Scan" in scans(plan)]
    assert not whole, "\n\n".join(f"{query}\n{json.dumps(plan, indent=1)}" for query, plan in whole)
    judged = [index for query, (plan, *_) in plans.items() if "%(fewest)s" in query for index in indexes(plan)]
    assert judged.count("codification_settled") == 2, "the operation's own, whatever others settle"
    advance = [index for query, (plan, *_) in plans.items() if query.startswith("advance") for index in indexes(plan)]
    assert set(advance) == {"codification_pkey"}
