"""How long the page's figures take: the very endpoint, against a ledger of millions of rows."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figure import BrokenMeasurement, Figure

if TYPE_CHECKING:
    from benchmarks.place import Place
    from wolkvox.ledger.connection import Connection

DAYS = 90  # over which they are spread: about what 55 licences allow
ASKED = 30


def measure(place: Place) -> list[Figure]:
    """Milliseconds of the first screen and of a screen of rows, at the hour in which the page has most to count."""
    rows, zone = place.pick(5_000_000, 50_000), _zone_at_the_end_of_its_day(datetime.now(timezone.utc))
    extra = {"wolkvox_server": "0041", "licenses": 100, "quota_timezone": zone}
    os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = json.dumps(
        {"conn_type": "wolkvox", "host": "http://127.0.0.1:9", "password": "unused", "extra": extra}
    )
    with place.ledger() as ledger:
        statement = Path(__file__).with_name("page_ledger.sql").read_text()
        with ledger.connect() as connection:
            connection.execute(statement.encode(), {"rows": rows, "days": DAYS})
            connection.execute("VACUUM ANALYZE")
            details = {"first_count_seconds": _count(connection, zone), "next_count_seconds": _count(connection, zone)}
        return [
            Figure(
                f"the page in Airflow on {rows:,} rows", _first_screen(rows), "ms", 200, at_most=True, details=details
            ),
            Figure("the page: share within the target, and heat map", _service(), "ms", 500, at_most=True),
            Figure("the page: rows of a campaign", _rows(type_campaign="preview", campaign_id="1000"), "ms"),
            Figure("the page: search of one customer", _customer(rows), "ms", 20, at_most=True),
            Figure("the page: a customer's evidence as PDF", _evidence(rows), "ms", 2_000, at_most=True),
            Figure("the page: rows of a rare reason", _rows(states=("failed",), reason="overloaded_500"), "ms"),
        ]


def _count(connection: Connection, zone: str) -> float:
    """Seconds that a run spends on counting the hours and days that are over."""
    from wolkvox.ledger.figures import count_closed_spans
    from wolkvox.rules.spans import shown_spans

    spans = shown_spans(datetime.now(timezone.utc), zone)
    return _seconds(lambda: count_closed_spans(connection, "0041", spans))


def _first_screen(rows: int) -> float:
    from wolkvox.airflow_core.dags import DagState
    from wolkvox.page.reading import first_screen

    read = partial(first_screen, airflow=lambda _: DagState(False, None))  # there is no Airflow around this ledger
    shown = read()["days"]
    if not rows * 0.25 < sum(shown["coded"]) < rows * 0.4:
        raise BrokenMeasurement(f"The page shows {sum(shown['coded'])} coded records of the last 30 of {DAYS} days")
    return _median(read)


def _service() -> float:
    """What is read once a minute beside the first screen."""
    from wolkvox.page.reading import EVER, service_level

    return _median(lambda: service_level(EVER))


def _rows(**wanted: Any) -> float:
    from wolkvox.page.queries import Filter
    from wolkvox.page.reading import some_rows

    return _median(lambda: some_rows(Filter(**wanted)))


def _customer(rows: int) -> float:
    """The newest ones, of whom some wait, and others from all over the ledger."""
    from wolkvox.page.reading import known_of

    asked = iter(range(rows, 0, -rows // (2 * ASKED)))
    return _median(lambda: known_of(str(57_300_000_000 + next(asked)), unmasked=True))


def _evidence(rows: int) -> float:
    from wolkvox.page.dictionary import dictionary
    from wolkvox.page.evidence_pdf import as_pdf
    from wolkvox.page.reading import known_of

    return _median(lambda: as_pdf(known_of(str(57_300_000_000 + rows), unmasked=True), dictionary("es")))


def _zone_at_the_end_of_its_day(now: datetime) -> str:
    """Where it is between 23:00 and midnight: the whole day is still counted live, the page's worst hour."""
    east = 23 - now.hour
    return f"Etc/GMT{-(east if east <= 14 else east - 24):+d}"


def _median(ask: Any) -> float:
    """Milliseconds."""
    return round(median(_seconds(ask) for _ in range(ASKED)) * 1000, 1)


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 4)
