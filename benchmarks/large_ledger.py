"""A large ledger: staging 10,000 new rows and the first call sent, with 10 million rows there and with none."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from statistics import median

from ledger_history import fill_history
from sandbox_server import SandboxServer

from benchmarks import workers
from benchmarks.contacts import RUN
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Database, Place
from benchmarks.sending import reset

# New contacts of customers whom the ledger knows from other campaigns, all over its history and in no order.
# Parameters: the newest contact's time, every how many customers one is contacted, and how many are.
KNOWN_CUSTOMERS = """
INSERT INTO contacted_customers
SELECT 'predictive', '15035', (900000000 + n * step)::text, '141', NULL,
    'Reached by WhatsApp, promised to pay; ref ' || n, newest - n * interval '1 millisecond'
FROM (SELECT %s::timestamptz AS newest, %s::integer AS step) AS params, generate_series(1, %s) AS n
ORDER BY md5(n::text)
"""

# Each repetition meets the same ledger. Left to itself VACUUM skips the indexes while fewer than 2 % of the pages hold
# dead rows, and every repetition would find those of all before it.
CLEAN = "VACUUM (INDEX_CLEANUP ON) wolkvox.codification"


def measure(place: Place) -> list[Figure]:
    """Seconds on the large ledger over seconds on an empty one, medians of interleaved repetitions."""
    history, rows = place.pick(10_000_000, 200_000), place.pick(10_000, 2_000)
    large: list[float] = []
    empty: list[float] = []
    with SandboxServer() as sandbox, place.ledger() as full:
        with full.connect() as connection:
            fill_history(connection, history)
        connections = {"AIRFLOW_CONN_WOLKVOX_DEFAULT": sandbox.connection(licenses=20)}
        for _ in range(place.pick(9, 1)):
            with place.ledger() as fresh:
                empty.append(staging_and_first_call(place, sandbox, fresh, connections, rows, history // rows))
            large.append(staging_and_first_call(place, sandbox, full, connections, rows, history // rows))
            full.execute("DELETE FROM wolkvox.codification WHERE dag_run_id = %s", RUN)
            full.execute(CLEAN)
    return [
        Figure(
            f"staging and the first call: a ledger of {history:,} rows over an empty one",
            median(large) / median(empty),
            "times",
            1.3,
            at_most=True,
            details={"rows_staged": rows, "seconds_large": sorted(large), "seconds_empty": sorted(empty)},
        )
    ]


def staging_and_first_call(
    place: Place, sandbox: SandboxServer, ledger: Database, connections: dict[str, str], rows: int, step: int
) -> float:
    """Stage so many rows and send the first record, in a process of its own."""
    reset(sandbox, 0.0)
    with place.warehouse() as warehouse:
        warehouse.execute(KNOWN_CUSTOMERS, datetime.now(timezone.utc), step, rows)
        os.environ |= {**connections, "AIRFLOW_CONN_WOLKVOX_LEDGER": ledger.uri}
        outcome = workers.run([workers.module("first_call_worker")])
    if outcome.said[0]["new"] != rows or sandbox.stats()["coded"] != 1:
        raise BrokenMeasurement(f"{outcome.said[0]['new']} of {rows} rows staged, {sandbox.stats()['coded']} sent")
    return outcome.seconds
