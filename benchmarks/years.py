"""Years of contacts, 100 million of them, in one table beside a small one: staging, the page, a customer, retention."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

from ledger_history import fill_history
from sandbox_server import SandboxServer

from benchmarks.contacts import RUN
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.large_ledger import CLEAN, staging_and_first_call
from benchmarks.place import Database, Place

if TYPE_CHECKING:
    from wolkvox.ledger.connection import Connection

MANY = 100_000_000  # contacts; a tenth of them where the disk is too small
BYTES = 650  # a contact takes with its indexes, and what making them takes meanwhile
DAYS = 700  # over which the history is spread
BATCH = 10_000  # contacts of a night of retention
ASKED = 30
FIRST_CUSTOMER = 900_000_000
FIRST = "staging 10,000 and the first call"
GOALS = {  # milliseconds
    FIRST: 6_000,  # a tenth of a run's minute; of customers from all over the history, whom no cache holds
    "the page": 300,
    "the page: search of one customer": 20,
    "retention: 10,000 contacts made anonymous": 3_000,  # a million a night are five minutes
    "retention: 10,000 contacts deleted": 3_000,
}


def measure(place: Place) -> list[Figure]:
    """Medians, and beside them those of a ledger of one day's contacts; staging is compared with an empty one."""
    fits = shutil.disk_usage(place.home).free > MANY * BYTES
    years, few = place.pick(MANY if fits else MANY // 10, 200_000), place.pick(140_000, 20_000)
    with place.ledger() as ledger:
        filling = _fill(ledger, years)
        size = ledger.value("SELECT pg_total_relation_size('wolkvox.codification')")
        many = _page(years)
        with place.ledger() as other:
            _fill(other, few)
            one = _page(few) | _retention(place, other, few)
        many |= _retention(place, ledger, years)
        staged = _staging(place, ledger, years)
    many[FIRST] = median(staged["large"]) * 1_000
    one[FIRST] = median(staged["empty"]) * 1_000
    details = {"bytes_per_contact": size / years, "seconds_to_fill": filling, "staged": staged, "small": few}
    return [
        Figure(
            f"{name}: {years:,} contacts",
            many[name],
            "ms",
            goal,
            at_most=True,
            details={"small": one[name], "times": many[name] / one[name], **(details if name == FIRST else {})},
        )
        for name, goal in GOALS.items()
    ]


def _fill(ledger: Database, rows: int) -> float:
    """Two years of contacts up to now, the hours and days that are over counted; seconds it took."""
    from wolkvox.ledger.figures import count_closed_spans
    from wolkvox.rules.spans import shown_spans

    began = time.monotonic()
    with ledger.connect() as connection:
        fill_history(connection, rows, newest=timedelta(0))
        count_closed_spans(connection, "0041", shown_spans(datetime.now(timezone.utc), "UTC"))
    return time.monotonic() - began


def _page(rows: int) -> dict[str, float]:
    """Milliseconds of the first screen and of customers from all over the ledger that ``_fill`` made last."""
    from wolkvox.airflow_core.dags import DagState
    from wolkvox.page.reading import first_screen, known_of

    extra = {"wolkvox_server": "0041", "licenses": 1_000, "quota_timezone": "UTC"}
    os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = json.dumps(
        {"conn_type": "wolkvox", "host": "http://127.0.0.1:9", "password": "unused", "extra": extra}
    )
    first = partial(first_screen, airflow=lambda _: DagState(False, None))  # there is no Airflow around this ledger
    if not rows * 0.7 < sum(first()["days"]["coded"]) * DAYS / 30 < rows:
        raise BrokenMeasurement("The page doesn't show what the ledger holds of the last 30 days")
    asked = iter(range(rows, 0, -rows // (2 * ASKED)))
    return {
        "the page": _milliseconds(first, ASKED),
        "the page: search of one customer": _milliseconds(
            lambda: known_of(str(FIRST_CUSTOMER + next(asked)), unmasked=True), ASKED
        ),
    }


def _retention(place: Place, ledger: Database, rows: int) -> dict[str, float]:
    """Milliseconds of some nights, each with a batch that has become due."""
    from wolkvox.ledger.anonymising import anonymise
    from wolkvox.ledger.retention import forget

    nights, batch = place.pick(5, 1), place.pick(BATCH, 1_000)
    apart = timedelta(days=DAYS) * batch / rows
    with ledger.connect() as connection:

        def each_night(work: Callable[[Connection, timedelta], int]) -> float:
            took = []
            for night in range(1, nights + 1):
                began = time.perf_counter()
                done = work(connection, oldest - night * apart)
                took.append((time.perf_counter() - began) * 1_000)
                if not batch * 0.9 < done < batch * 1.1:
                    raise BrokenMeasurement(f"{done} contacts were due, not {batch}")
            return median(took)

        oldest = ledger.value("SELECT now() - min(staged_at) FROM wolkvox.codification")
        return {
            "retention: 10,000 contacts made anonymous": each_night(
                lambda connection, age: anonymise(connection, "a secret", age).done
            ),
            "retention: 10,000 contacts deleted": each_night(forget),
        }


def _staging(place: Place, ledger: Database, rows: int) -> dict[str, list[float]]:
    """Seconds of interleaved repetitions, each of which meets the same ledgers."""
    staged = place.pick(10_000, 2_000)
    seconds: dict[str, list[float]] = {"large": [], "empty": []}
    with SandboxServer() as sandbox:
        connections = {"AIRFLOW_CONN_WOLKVOX_DEFAULT": sandbox.connection(licenses=20)}
        for _ in range(place.pick(3, 1)):
            with place.ledger() as fresh:
                took = staging_and_first_call(place, sandbox, fresh, connections, staged, rows // staged)
                seconds["empty"].append(took)
            took = staging_and_first_call(place, sandbox, ledger, connections, staged, rows // staged)
            seconds["large"].append(took)
            ledger.execute("DELETE FROM wolkvox.codification WHERE dag_run_id = %s", RUN)
            ledger.execute(CLEAN)
    return seconds


def _milliseconds(work: Callable[[], Any], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1_000)
    return median(took)
