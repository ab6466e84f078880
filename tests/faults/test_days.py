"""Days on end, run by run: real ledger, real sandbox, the clock moved by a quarter of an hour between two runs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from conftest import Database
from crew import connect, fill, stage, states, task, verdict
from sandbox_server import SandboxServer

from wolkvox.errors import WolkvoxError
from wolkvox.hook import WolkvoxHook
from wolkvox.rules.retry_policy import RetryPolicy
from wolkvox.rules.runs import Chunk
from wolkvox.tasks.chunk import codify_chunk

pytestmark = pytest.mark.slow

RUNS = 96  # a day of quarters of an hour
IN_NO_TIME = RetryPolicy(first_wait=0.0, longest_wait=0.0, maintenance_wait=0.0, longest_retry_after=0.0)
MOMENTS = (
    "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
    " INNER JOIN information_schema.tables USING (table_schema, table_name)"
    " WHERE table_schema = 'wolkvox' AND table_type = 'BASE TABLE' AND data_type = 'timestamp with time zone'"
    " AND table_name NOT IN ('span', 'span_count', 'dirty_hour', 'ingest_count')"  # counted, not lived
    " GROUP BY table_name"
)


class Silent:
    """A meter that counts nothing."""

    def timed(self, send: Any) -> Any:
        return send

    def report(self, progress: Any) -> None:
        pass

    def finish(self) -> None:
        pass


class Days:
    """Runs one after another; ``told`` are the messages that went out, ``red`` the runs that were not green."""

    def __init__(self, ledger: Database, sandbox: SandboxServer) -> None:
        self.ledger, self.sandbox = ledger, sandbox
        self.runs = 0
        self.told: list[dict[str, dict[str, str]]] = []
        self.red: list[int] = []
        self.stopped: Counter[str | None] = Counter()
        self._moments = ledger.rows(MOMENTS)

    def run(self, runs: int = 1) -> None:
        """So many runs, a quarter of an hour apart."""
        for _ in range(runs):
            self.runs += 1
            self._run(f"run {self.runs}")
            self._move_the_clock()

    def requests(self) -> int:
        """Calls that reached wolkvox so far, refused tokens among them."""
        stats = self.sandbox.stats()
        return stats["calls"] + stats["unauthorised"]

    def _run(self, run: str) -> None:
        staged, tallies = None, []
        try:
            chunks, staged = stage(run)
            for chunk in chunks:
                tallies.append(self._codify(run, chunk))
        except WolkvoxError:
            pass  # the task is red, and verdict follows all the same
        summary, found = verdict(run, staged, tallies)
        self.stopped[summary["stopped"]] += 1
        if found:
            self.red.append(self.runs)
        if any(summary["news"].values()):
            self.told.append(summary["news"])

    def _codify(self, run: str, chunk: Chunk) -> dict[str, Any]:
        with WolkvoxHook() as wolkvox:
            return codify_chunk(replace(task(run), retry_policy=IN_NO_TIME), wolkvox, chunk, Silent())

    def _move_the_clock(self) -> None:
        for table, columns in self._moments:
            moved = ", ".join(f"{column} = {column} - interval '15 minutes'" for column in columns)
            self.ledger.execute(f"UPDATE wolkvox.{table} SET {moved}")


@pytest.fixture
def days(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> Days:
    connect(sandbox, preflight=False, call_timeout=5)
    return Days(ledger, sandbox)


def calls_of(sandbox: SandboxServer, campaign: str) -> int:
    """Calls for the records of a campaign."""
    requests = sandbox.stats()["calls_per_record"]
    return sum(count for record, count in requests.items() if record.split("/")[1] == campaign)


def test_a_dead_campaign_costs_tens_of_calls_a_day_and_the_others_are_sent_in_full(
    days: Days, warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, 2_000, campaign="666")
    sandbox.control(unknown_customers=[f"customer-{n}" for n in range(1, 2_001)])
    fill(warehouse, 100, first=5_001)
    for quarter in range(RUNS):
        fill(warehouse, 1, first=6_000 + quarter)
        days.run()
        assert calls_of(sandbox, "17") == 100 + quarter + 1, "the healthy campaign is sent in full, each run"
    assert calls_of(sandbox, "666") <= 120
    assert (
        ledger.value("SELECT count(*) FROM wolkvox.codification WHERE campaign_id = '666' AND state <> 'pending'") <= 20
    )
    assert ledger.rows("SELECT campaign_id, reason FROM wolkvox.suspended_campaign") == [("666", "not_found")]
    assert days.red == []
    assert len(days.told) <= 2
    print(f"a dead campaign: {calls_of(sandbox, '666')} requests a day, {len(days.told)} messages")

    sandbox.control(unknown_customers=[])  # it is there again
    days.run(RUNS // 2)
    assert (
        ledger.value("SELECT count(*) FROM wolkvox.codification WHERE campaign_id = '666' AND state = 'coded'") >= 1_980
    )
    assert ledger.value("SELECT count(*) FROM wolkvox.suspended_campaign") == 0


def test_a_record_whose_answer_is_never_seen_is_sent_eight_times_in_its_life(
    days: Days, warehouse: Database, ledger: Database, sandbox: SandboxServer
) -> None:
    fill(warehouse, 20)
    sandbox.control(faults={"customer-7": [{"kind": "reset_after", "repeat": True}]})
    days.run(4 * RUNS)
    assert sandbox.stats()["calls_per_record"]["preview/17/customer-7"] == 8
    assert states(ledger) == {"coded": 19, "failed": 1}
    assert ledger.rows("SELECT reason, attempts FROM wolkvox.codification WHERE state = 'failed'") == [
        ("unknown_reset", 8)
    ]


@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503}, {"kind": "reset_before"}, {"kind": "maintenance"}],
    ids=["overload", "reset", "maintenance"],
)
def test_a_days_outage_costs_a_call_a_run_and_people_are_told_when_it_begins_and_ends(
    days: Days, warehouse: Database, ledger: Database, sandbox: SandboxServer, fault: dict[str, Any]
) -> None:
    fill(warehouse, 500)
    days.run()
    sandbox.control(default_fault=[{**fault, "repeat": True}])
    before = days.requests()
    for quarter in range(RUNS):
        fill(warehouse, 5, first=1_000 + 5 * quarter)
        days.run()
    outage = days.requests() - before
    assert outage <= 150
    assert days.red in ([2], [3]), "the run that meets it is red, and no other"
    assert days.stopped["outage"] >= RUNS - 2
    assert set(states(ledger)) == {"coded", "pending"}

    sandbox.control(default_fault=[])
    days.run(3)
    assert states(ledger) == {"coded": 500 + 5 * RUNS}
    days.run(2)  # an hour without it
    assert len(days.told) <= 3
    assert "outage" in days.told[-1]["resolved"]
    print(f"an outage of {fault['kind']}: {outage} requests, {len(days.told)} messages")


@pytest.mark.parametrize("refusals", ["body_400", "invalid_code"])
def test_a_day_on_which_everything_is_refused_settles_nothing(
    days: Days, warehouse: Database, ledger: Database, sandbox: SandboxServer, refusals: str
) -> None:
    sandbox.control(default_fault=[{"kind": refusals, "repeat": True}])
    for campaign in range(20):
        fill(warehouse, 20, first=100 * campaign + 1, campaign=str(campaign))
    days.run(RUNS)
    assert states(ledger) == {"pending": 400}
    assert len(days.red) == 1
    refused = days.requests()
    assert refused <= 50 + 3 * RUNS

    sandbox.control(default_fault=[])
    days.run(3)
    assert states(ledger) == {"coded": 400}
    assert len(days.told) <= 3
    print(f"everything refused: {refused} requests, {len(days.told)} messages")


@pytest.mark.parametrize("preflight", [True, False])
def test_a_revoked_token_is_one_red_run_and_a_call_a_run(
    days: Days,
    warehouse: Database,
    ledger: Database,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    preflight: bool,
) -> None:
    good = json.loads(sandbox.connection(preflight=preflight))
    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps({**good, "password": "revoked"}))
    fill(warehouse, 50)
    days.run(RUNS)
    requests = days.requests()
    assert requests <= 100
    assert days.red == [1]
    assert len(days.told) <= 3
    assert states(ledger) == {"pending": 50}

    monkeypatch.setenv("AIRFLOW_CONN_WOLKVOX_DEFAULT", json.dumps(good))
    days.run()  # a new token is tried at once
    assert states(ledger) == {"coded": 50}
    assert len(days.told) <= 3
    print(f"a revoked token: {requests} requests, {len(days.told)} messages")
