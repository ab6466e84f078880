"""A backlog without limit in a large ledger: what ``stage`` costs beyond its pull, what a worker's next twenty cost."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from statistics import median
from typing import Any

from ledger_history import fill_history
from sandbox_server import SandboxServer
from staged import stage_in, worker

from benchmarks import workers
from benchmarks.contacts import FILL_WAREHOUSE
from benchmarks.figure import Figure
from benchmarks.place import Database, Place

FILL = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, comment, contacted_at
)
SELECT
    gen_random_uuid(), '0041', 'predictive', (100 + n %% 50)::text, (n::bigint * 7919 %% 100000007)::text, '141',
    'Reached by WhatsApp, promised to pay; ref ' || n, now() - n * interval '1 second'
FROM generate_series(1, %s) AS n
"""
FRESH = 1_000  # new contacts in the warehouse, known from the second run on
RUN_SECONDS = "120"  # that the run may send
NOBODY_WORKS = "UPDATE wolkvox.chunk SET closed_at = now() WHERE closed_at IS NULL"
TAKES = 60
SIZE = "SELECT pg_total_relation_size('wolkvox.codification')"


def measure(place: Place) -> list[Figure]:
    """Seconds from the end of the pull to the end of ``stage``, and how much the table grows from run to run."""
    waiting, history = place.pick(1_000_000, 20_000), place.pick(10_000_000, 200_000)
    with SandboxServer() as sandbox, place.warehouse() as warehouse, place.ledger() as ledger:
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection(preflight=False)
        with ledger.connect() as connection:
            fill_history(connection, history)
        ledger.execute(FILL, waiting)
        ledger.execute("VACUUM ANALYZE wolkvox.codification")
        warehouse.execute(FILL_WAREHOUSE, datetime.now(timezone.utc), FRESH)
        runs = [_stage(ledger) for _ in range(place.pick(4, 2))]
        takes = sorted(_takes(ledger))
    seconds = sorted(run["seconds"] for run in runs)
    grown = (runs[-1]["size"] - runs[0]["size"]) / runs[0]["size"] / (len(runs) - 1)
    details = {"waiting": waiting, "settled": history, "runs": runs, "takes_ms": takes}
    return [
        Figure(
            f"backlog: stage beyond its pull while {waiting:,} contacts wait",
            seconds[len(seconds) // 2],
            "s",
            3,
            at_most=True,
            details=details,
        ),
        Figure("backlog: a worker's next 20 records", median(takes), "ms", 5, at_most=True, details=details),
        Figure("backlog: growth of the table from run to run", 100 * grown, "%", 1, at_most=True, details=details),
    ]


def _stage(ledger: Database) -> dict[str, Any]:
    outcome = workers.run([workers.module("stage_worker", RUN_SECONDS)])
    said = outcome.said[0]
    return {
        "seconds": outcome.seconds - said["pull_seconds"],
        "pull_seconds": said["pull_seconds"],
        "records": said["records"],
        "size": ledger.value(SIZE),
    }


def _takes(ledger: Database) -> Iterator[float]:
    """Milliseconds until a worker has its next twenty records, which are coded before it takes again."""
    with ledger.connect() as connection:
        connection.execute(NOBODY_WORKS)
        chunk = stage_in(connection, ()).chunks[0]
        with worker(ledger, chunk) as session:
            for _ in range(TAKES):
                began = time.perf_counter()
                records = session.take(20, ())
                yield 1000 * (time.perf_counter() - began)
                settle = "UPDATE wolkvox.codification SET state = 'coded', settled_at = now() WHERE id = ANY(%s)"
                connection.execute(settle, ([record.id for record in records],))
