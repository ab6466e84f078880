"""A run is its operation, its DAG and its id, and every record it took up is accounted for."""

from __future__ import annotations

from typing import Any

from conftest import Database
from crew import AT_ONCE, Crew, connect, fill, stage, states, verdict
from sandbox_server import SandboxServer

from wolkvox.rules.runs import Chunk

RUN = "scheduled__2026-11-25T10:00:00+00:00"
WAITING = "records are still waiting although nothing was in their way."


def send(crew: Crew, chunks: list[Chunk], dag: str = "wolkvox_codify") -> list[dict[str, Any]]:
    return [worker.tally() for worker in [crew.codify(chunk, dag=dag, request_retries=AT_ONCE) for chunk in chunks]]


def test_two_dags_with_one_run_id_on_one_ledger_have_exact_summaries(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 40)
    chunks, staged = stage(RUN, dag="one")
    tallies = send(crew, chunks, "one")
    fill(warehouse, 60, first=101)
    others, others_staged = stage(RUN, dag="other")
    other_tallies = send(crew, others, "other")
    summary, found = verdict(RUN, staged, tallies, dag="one")
    assert (summary["records"], summary["coded"], summary["moved"], found) == (40, 40, 0, [])
    summary, found = verdict(RUN, others_staged, other_tallies, dag="other")
    assert (summary["records"], summary["coded"], summary["moved"], found) == (60, 60, 0, [])
    assert ledger.rows("SELECT dag_id, state, counts->>'coded' FROM wolkvox.run ORDER BY 1") == [
        ("one", "success", "40"),
        ("other", "success", "60"),
    ]
    assert ledger.rows("SELECT dag_id, count(*) FROM wolkvox.codification GROUP BY 1 ORDER BY 1") == [
        ("one", 40),
        ("other", 60),
    ]


def test_records_that_another_dags_run_was_to_send_too_are_accounted_for_where_they_were_sent(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 40)
    chunks, staged = stage(RUN, dag="one")
    others, others_staged = stage(RUN, dag="other", limit=30)
    summary, found = verdict(RUN, staged, send(crew, chunks, "one"), dag="one")
    assert (summary["coded"], summary["moved"], found) == (40, 0, [])
    summary, found = verdict(RUN, others_staged, send(crew, others, "other"), dag="other")
    assert (summary["coded"], summary["moved"], found) == (0, 0, [])


def test_a_cleared_stage_with_fewer_chunks_is_not_excused_by_the_tallies_of_the_former_ones(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 40)
    stale = send(crew, stage(RUN, chunk_size=10)[0])
    assert len(stale) == 4
    fill(warehouse, 10, first=101)
    chunks, staged = stage(RUN)
    assert len(chunks) == 2
    summary, found = verdict(RUN, staged, stale)  # both tasks failed, and the former ones' XComs are still there
    assert found == ["2 codify task(s) did not finish: see their logs. The next run takes up their rest."]
    assert (summary["records"], summary["coded"], summary["waiting"]) == (10, 0, 10)
    assert ledger.value("SELECT state FROM wolkvox.run") == "failed"
    assert verdict(RUN, staged, stale + send(crew, chunks))[1] == []
    assert ledger.value("SELECT state FROM wolkvox.run") == "success"


def test_records_that_vanish_from_the_ledger_make_the_run_red(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 200)
    chunks, staged = stage(RUN)
    tallies = send(crew, chunks)
    ledger.execute("DELETE FROM wolkvox.codification WHERE id <= 100")
    summary, found = verdict(RUN, staged, tallies)
    assert (summary["coded"], summary["missing"], summary["moved"]) == (100, 100, 0)
    assert found == [
        "100 records that this run took up are no longer in the ledger: somebody deleted them, or restored an older"
        " state."
    ]


def test_what_a_newer_contact_superseded_meanwhile_is_no_loss(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    fill(warehouse, 4)
    chunks, staged = stage("first")
    warehouse.execute("UPDATE contacted_customers SET contacted_at = contacted_at + interval '1 minute'")
    newer, newer_staged = stage("second")
    summary, found = verdict("first", staged, send(crew, chunks))
    assert (newer, summary["coded"], found) == ([], 4, [])
    summary, found = verdict("second", newer_staged, [])
    assert (summary["coded"], found) == (0, [])
    assert states(ledger) == {"coded": 4, "superseded": 4}


def test_a_chunk_whose_time_is_over_leaves_its_rest_to_the_next_run(
    ledger: Database, warehouse: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.2)
    fill(warehouse, 100)
    chunks, staged = stage("first", seconds=6.0)
    tallies = send(crew, chunks)
    assert {tally["stopped"] for tally in tallies} == {"time"}
    summary, found = verdict("first", staged, tallies)
    assert (summary["stopped"], found) == ("time", [])
    assert summary["coded"] + summary["waiting"] == 100
    assert 0 < summary["coded"] < 70
    sandbox.control(latency=0.0)
    late = send(crew, chunks)  # cleared by hand when its time is long over: it has all of it again
    assert [tally["stopped"] for tally in late] == [None] * 2
    assert states(ledger) == {"coded": 100}
    assert set(sandbox.stats()["calls_per_record"].values()) == {1}
