"""Contacts to measure with: those of a day in one campaign."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from wolkvox.stop import Stop

if TYPE_CHECKING:
    from benchmarks.place import Database
    from wolkvox.rules.contacts import Contact
    from wolkvox.rules.runs import Chunk

OPERATION = "0041"
DAG = "bench"
A_DAY = 86_400.0  # seconds a run may send: nothing here ends by the clock
CAMPAIGN = ("predictive", "15035")
RUN = "scheduled__2026-11-24T10:15:00.000000+00:00_AbCdEfGh"  # as long as Airflow's own
FIRST_CUSTOMER = 1_000_000_000

# The same contacts as rows of the warehouse: parameters are the newest one's time and how many there are.
FILL_WAREHOUSE = f"""
INSERT INTO contacted_customers
SELECT 'predictive', '15035', ({FIRST_CUSTOMER} + n)::text, '141', NULL,
    'Reached by WhatsApp, promised to pay; ref ' || n, %s - n * interval '1 millisecond'
FROM generate_series(0, %s - 1) AS n
"""


def contacts(count: int) -> Iterator[Contact]:
    """So many contacts of one campaign, each of another customer."""
    from wolkvox.rules.contacts import read_contact

    now = datetime.now(timezone.utc)
    for n in range(count):
        row = (*CAMPAIGN, str(FIRST_CUSTOMER + n), "141", None, comment(n), now - timedelta(milliseconds=n))
        yield read_contact(row, operation=OPERATION, zone=timezone.utc)


def comment(n: int) -> str:
    """A comment of the usual length."""
    return f"Reached by WhatsApp, promised to pay; ref {n}"


def staged_chunks(ledger: Database, count: int) -> list[Chunk]:
    """Stage so many contacts in an empty ledger; the run's chunks, two of them."""
    from wolkvox.ledger.claiming import Wanted, claim
    from wolkvox.ledger.runs import begin_run
    from wolkvox.ledger.staging import load
    from wolkvox.rules.runs import Allowance, Run
    from wolkvox.rules.window import Window

    run = Run(OPERATION, DAG, RUN)
    with ledger.connect() as connection:
        begin_run(connection, run, Window(*the_last_two_days()), "other")
        staged = load(connection, contacts(count), run)
        claim(connection, run, staged, Allowance(), Wanted(timedelta(days=31), A_DAY, 1024))
    return staged.chunks


def the_last_two_days() -> tuple[datetime, datetime]:
    """The window of a run."""
    now = datetime.now(timezone.utc)
    return now - timedelta(days=2), now


def stopped() -> Stop:
    """An event that nobody sets."""
    return Stop()
