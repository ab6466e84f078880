"""
On paper: fifty operations, a million contacts a day, five years. What it takes, and what breaks first.

A ledger of known size tells the bytes of a contact; a simulation, minute by minute, tells lags and waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ledger_history import fill_history

from benchmarks.figure import Figure
from benchmarks.place import Place

OPERATIONS, CONTACTS, YEARS = 50, 1_000_000, 5
KEPT_YEARS = 3  # as the retention DAG ships
CALL = 0.3  # seconds, of a call over the internet to a busy PHP host
SLOTS = 2
TASK_CPU = 2.0  # seconds of one core that Airflow spends on a task's start and end, as measured on two cores
TASKS_OF_A_RUN = 4  # stage, two codify, verdict
# Share of a day's contacts by the hour: people are reached from seven to nine, most of them before noon.
HOURS = (0, 0, 0, 0, 0, 0, 0, 4, 9, 12, 12, 10, 6, 6, 8, 9, 8, 6, 5, 3, 2, 0, 0, 0)
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Day:
    """How a day of one operation went: lags in minutes, contacts that were left, requests that were made."""

    lag_p95: float
    left: int
    requests: int


def sizes() -> list[int]:
    """Contacts a day of each operation: a few large ones, many small ones, as with shops of any kind."""
    weights = [1 / place for place in range(1, OPERATIONS + 1)]
    return [round(CONTACTS * weight / sum(weights)) for weight in weights]


def simulate(contacts: int, licences: int, interval: int) -> Day:
    """
    A day, minute by minute: contacts come in, each run takes what is there, the newest first, within requests and time.

    :param interval: minutes between two runs
    """
    waiting: deque[tuple[int, int]] = deque()  # minute and contacts, the newest last
    lags: dict[int, int] = {}
    left_calls, come, requests = licences * 1_000, 0.0, 0
    for minute in range(24 * 60):
        come += contacts * HOURS[minute // 60] / 100 / 60
        if come >= 1:
            waiting.append((minute, int(come)))
            come -= int(come)
        if minute % interval:
            continue
        budget = min(left_calls, int(interval * 60 * SLOTS / CALL))
        while waiting and budget > 0:
            since, count = waiting.pop()
            sent = min(count, budget)
            lag = minute - since + round(sent * CALL / SLOTS / 60)
            lags[lag] = lags.get(lag, 0) + sent
            budget, left_calls, requests = budget - sent, left_calls - sent, requests + sent
            if count > sent:
                waiting.append((since, count - sent))
    return Day(_percentile(lags, 0.95), sum(count for _, count in waiting), requests)


def _percentile(lags: dict[int, int], share: float) -> float:
    total, seen = sum(lags.values()), 0
    for lag in sorted(lags):
        seen += lags[lag]
        if seen >= share * total:
            return lag
    return 0.0


def measure(place: Place) -> list[Figure]:
    """Bytes of a contact, and what follows for the whole."""
    rows = place.pick(1_000_000, 50_000)
    with place.ledger() as ledger:
        with ledger.connect() as connection:
            fill_history(connection, rows)
        size = ledger.value("SELECT pg_total_relation_size('wolkvox.codification')") / rows
    days = {
        interval: [simulate(contacts, _licences(contacts), interval) for contacts in sizes()] for interval in (1, 5)
    }
    largest = max(sizes())
    scarce = simulate(largest, _licences(largest) * 9 // 10, 1)
    lags = {interval: max(day.lag_p95 for day in of) for interval, of in days.items()}
    busy = 100 * largest * CALL / SLOTS / 86_400
    return [
        Figure("scale: a contact in the ledger, indexes included", size, "bytes"),
        Figure(f"scale: the ledger, {KEPT_YEARS} years kept", size * CONTACTS * 365 * KEPT_YEARS / GIB, "GiB"),
        Figure("scale: licences of all operations together", sum(map(_licences, sizes())), "licences"),
        Figure("scale: lag of 95 % in the slowest operation, a run a minute", lags[1], "min"),
        Figure("scale: the same, a run every five minutes", lags[5], "min"),
        Figure("scale: contacts a day left of the largest, a tenth of its licences missing", scarce.left, "contacts"),
        Figure("scale: time that the largest one's slots are at work", busy, "%"),
        Figure("scale: cores that tasks' starts take, a run a minute", _cores(1), "cores"),
        Figure("scale: the same, a run every five minutes", _cores(5), "cores"),
    ]


def _licences(contacts: int) -> int:
    return contacts // 1_000 + 1


def _cores(interval: int) -> float:
    return OPERATIONS * TASKS_OF_A_RUN * TASK_CPU / (interval * 60)
