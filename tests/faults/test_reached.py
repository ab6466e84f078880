"""What can be sent is sent, whenever its task starts, however slow the hours before were, whoever holds the pool."""

from __future__ import annotations

import time
from typing import Any

import pytest
from conftest import Database
from crew import Crew, connect, fill, stage, states, verdict, wait_until
from sandbox_server import SandboxServer

SLOW_HOURS = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, attempts,
    staged_at, sent_at, settled_at, dag_run_id, chunk_id
)
SELECT
    gen_random_uuid(), '0041', 'preview', '17', 'slow-' || n, '5', now() - interval '5 hours', 'coded', 1,
    now() - interval '5 hours', now() - n * interval '15 s' - %s::interval, now() - n * interval '15 s', 'old', 'old'
FROM generate_series(1, 1000) AS n
"""


def send(crew: Crew, chunks: Any, **options: Any) -> list[dict[str, Any]]:
    """Both chunks at once, as the pool has it: their tallies."""
    return [worker.tally() for worker in [crew.codify(chunk, **options) for chunk in chunks]]


@pytest.fixture
def vendor(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> SandboxServer:
    connect(sandbox, preflight=False)
    return sandbox


def test_a_task_that_starts_later_than_its_runs_time_lasts_sends_all_the_same(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    fill(warehouse, 10)
    chunks, staged = stage(seconds=1.0)
    time.sleep(2.0)
    summary, complaints = verdict("run", staged, send(crew, chunks))
    assert (summary["coded"], summary["stopped"], complaints) == (10, None, [])


def test_tasks_that_start_one_after_the_other_late_send_what_came_in_meanwhile_too(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    """A pool that another operation holds, a node that has to be added first."""
    fill(warehouse, 10)
    (first, *_), _ = stage(seconds=2.0)
    time.sleep(3.0)
    fill(warehouse, 10, first=11)
    assert stage("second")[1]["handed_over"] == 20
    assert crew.codify(first).tally()["coded"] == 20


@pytest.mark.parametrize("seconds", [30.0, 61.0, 1_204.0])
def test_slow_hours_do_not_slow_down_the_runs_after_them(
    seconds: float, vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    ledger.execute(SLOW_HOURS, f"{seconds} s")
    fill(warehouse, 200)
    send(crew, stage(seconds=60.0)[0])
    assert states(ledger) == {"coded": 1_200}


def test_a_run_of_half_a_minute_sends_although_a_request_took_longer(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    ledger.execute(SLOW_HOURS, "61 s")
    fill(warehouse, 100)
    assert sum(tally["coded"] for tally in send(crew, stage(seconds=30.0)[0])) == 100


def test_what_an_export_settled_says_nothing_of_the_pace(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    ledger.execute(SLOW_HOURS, "20 minutes")
    ledger.execute("UPDATE wolkvox.codification SET reason = 'already_coded', chunk_id = NULL")
    fill(warehouse, 50)
    _, staged = stage(seconds=60.0)
    assert (staged["records"], staged["expected_minutes"]) == (50, 0.0)


def test_suddenly_slow_requests_keep_both_slots_at_work(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    """What was fast until now is no reason to give one worker all that waits."""
    ledger.execute(SLOW_HOURS, "20 ms")
    vendor.control(latency=0.4)
    fill(warehouse, 24)
    tallies = send(crew, stage(seconds=60.0)[0])
    assert sorted(tally["requests"] for tally in tallies)[0] >= 8
    assert abs(tallies[0]["seconds"] - tallies[1]["seconds"]) < 2.0
    assert vendor.stats()["peak_in_flight"] == 2


def test_both_workers_end_together_though_one_has_all_the_slow_ones(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(latency=0.01, faults={f"customer-{n}": [{"kind": "slow", "seconds": 0.5}] for n in range(1, 21)})
    fill(warehouse, 120)
    tallies = send(crew, stage()[0])
    assert sum(tally["coded"] for tally in tallies) == 120
    assert abs(tallies[0]["seconds"] - tallies[1]["seconds"]) < 1.5


def test_what_is_staged_while_workers_are_at_a_backlog_goes_next(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    vendor.control(latency=0.1)
    fill(warehouse, 300, first=1_001)
    workers = [crew.codify(chunk) for chunk in stage("first")[0]]
    while states(ledger).get("coded", 0) < 10:
        time.sleep(0.05)
    warehouse.execute("INSERT INTO contacted_customers SELECT 'preview', '99', 'fresh', '5', NULL, NULL, now()")
    chunks, staged = stage("second")
    assert (chunks, staged["handed_over"] > 0) == ([], True)
    wait_until(lambda: ledger.value("SELECT state = 'coded' FROM wolkvox.codification WHERE customer_id = 'fresh'"))
    assert states(ledger)["pending"] > 200, "it did not wait for the others"
    for worker in workers:
        worker.kill()


def test_a_certificate_that_is_not_there_costs_no_record_a_try(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    """A record that was claimed for a request that can't be made would be one whose outcome nobody knows."""
    connect(sandbox, preflight=False, cert="/none.pem")
    fill(warehouse, 1)
    for run in range(2):
        chunks, _ = stage(f"run {run}", by_hand=True)
        result = crew.codify(chunks[0]).result()
        assert (result["error"], "/none.pem" in result["message"]) == ("BadSetting", True)
    assert ledger.rows("SELECT state, attempts FROM wolkvox.codification") == [("pending", 0)]
    connect(sandbox, preflight=False)
    chunks, _ = stage("mended", by_hand=True)
    assert crew.codify(chunks[0]).tally()["coded"] == 1


def test_a_run_whose_workers_leave_what_could_be_sent_is_red(
    vendor: SandboxServer, warehouse: Database, ledger: Database, crew: Crew
) -> None:
    fill(warehouse, 20)
    stage("before")
    ledger.execute("UPDATE wolkvox.chunk SET closed_at = now()")
    chunks, staged = stage("run")
    tallies = send(crew, chunks)
    ledger.execute(
        "UPDATE wolkvox.codification SET state = 'pending', settled_at = NULL, chunk_id = NULL, dag_run_id = NULL"
        " WHERE id <= 5"
    )
    ledger.execute("UPDATE wolkvox.codification SET not_before = now() + interval '1 h' WHERE id = 5")
    _, complaints = verdict("run", staged, tallies)
    assert complaints == ["4 records are still waiting although nothing was in their way."]
    assert verdict("run", staged, [{**tallies[0], "stopped": "time"}, tallies[1]])[1] == []


def test_nothing_is_handed_over_to_a_run_that_ended_before_its_tasks_began(
    vendor: SandboxServer, warehouse: Database, crew: Crew
) -> None:
    """As where the tasks were marked failed, or their settings let them send nothing."""
    fill(warehouse, 5)
    chunks, staged = stage("ended")
    assert verdict("ended", staged, [])[1] == [
        "2 codify task(s) did not finish: see their logs. The next run takes up their rest."
    ]
    again, staged = stage("next")
    assert (len(again), staged["handed_over"]) == (2, 0)
    assert crew.codify(chunks[0]).tally()["coded"] > 0, "a task that is cleared begins all the same"
