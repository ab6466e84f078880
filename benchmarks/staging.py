"""Staging: warehouse rows into the ledger, against a plain COPY of the same rows into the same table."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from sandbox_server import SandboxServer

from benchmarks import workers
from benchmarks.contacts import FILL_WAREHOUSE
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Database, Place

COLUMNS = (
    "contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, cod_act_2, comment, contacted_at,"
    " state, dag_run_id"
)
BLOCK = 2**20  # bytes


def measure(place: Place) -> list[Figure]:
    """Both ways' rows a second, medians of interleaved repetitions; and the memory of runs of very unequal sizes."""
    rows = place.pick(1_000_000, 50_000)
    few, many = place.pick(100_000, 10_000), place.pick(3_000_000, 100_000)
    staged, pulled, copied, peaks = [], [], [], {}
    file = place.home / "rows"
    with SandboxServer() as sandbox:
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = sandbox.connection(licenses=20)
        for _ in range(place.pick(3, 1)):
            seconds, said = _stage(place, rows, file)
            staged.append(seconds)
            pulled.append(said["pull_seconds"])
            copied.append(_copy(place, rows, file))
        for count in (few, many):
            peaks[count] = _stage(place, count, None)[1]["peak_mib"]
    return [
        Figure(
            "staging: rows a second into the ledger over a plain COPY's",
            median(copied) / median(pulled),
            "times",
            0.5,
            details={
                "rows": rows,
                "rows_per_second": rows / median(pulled),
                "copy_rows_per_second": rows / median(copied),
                "process_seconds": said["cpu"],
            },
        ),
        Figure(
            "staging: rows a second over a plain COPY's, choosing and cutting into chunks included",
            median(copied) / median(staged),
            "times",
            details={"claimed": said["records"]},
        ),
        Figure(
            f"staging: more memory for {many:,} rows than for {few:,}",
            peaks[many] - peaks[few],
            "MiB",
            30,
            at_most=True,
            details={f"peak_mib_{count}": peak for count, peak in peaks.items()},
        ),
    ]


def _stage(place: Place, rows: int, keep: Path | None) -> tuple[float, dict[str, Any]]:
    """Seconds that staging so many rows took, and what it said; ``keep`` gets the ledger's rows for a COPY."""
    with place.ledger() as ledger, place.warehouse() as warehouse:
        warehouse.execute(FILL_WAREHOUSE, datetime.now(timezone.utc), rows)
        outcome = workers.run([workers.module("stage_worker")])
        if outcome.said[0]["new"] != rows:
            raise BrokenMeasurement(f"{outcome.said[0]['new']} of {rows} rows were staged")
        if keep:
            _copy_out(ledger, keep)
    return outcome.seconds, outcome.said[0]


def _copy_out(ledger: Database, file: Path) -> None:
    statement = f"COPY (SELECT {COLUMNS} FROM wolkvox.codification ORDER BY id) TO STDOUT"
    with ledger.connect() as connection, connection.cursor().copy(statement.encode()) as copy, file.open("wb") as out:
        for block in copy:
            out.write(block)


def _copy(place: Place, rows: int, file: Path) -> float:
    """Seconds that the plain COPY took."""
    with place.ledger() as ledger, ledger.connect() as connection, file.open("rb") as source:
        began = time.perf_counter()
        with connection.cursor().copy(f"COPY wolkvox.codification ({COLUMNS}) FROM STDIN".encode()) as copy:
            while block := source.read(BLOCK):
                copy.write(block)
        seconds = time.perf_counter() - began
        if ledger.value("SELECT count(*) FROM wolkvox.codification") != rows:
            raise BrokenMeasurement("COPY lost rows")
    return seconds
