"""From contact to coded while a backlog waits, by simulation: the rules are the real ones, the clock is not."""

from __future__ import annotations

import re
from heapq import heappop, heappush

from benchmarks import PROJECT
from benchmarks.figure import Figure
from benchmarks.place import Place

STALE = 30_000  # contacts that wait when the first fresh one comes
CALL = 0.5  # seconds
FRESH_EVERY = 1.0  # seconds
HOURS = 2
OVERHEAD = 15.0  # seconds of a run in which nothing is sent: the starts of its tasks, and its end


def measure(place: Place) -> list[Figure]:
    """The 95th percentile over the fresh contacts of two hours, at the default schedule."""
    seconds = HOURS * 3_600
    lags = sorted(simulate(seconds, 60.0 * minutes_of_the_schedule()))
    return [
        Figure(
            "lag by simulation: 30,000 stale contacts at 0.5 s a call, one fresh one a second, 95th percentile",
            lags[len(lags) * 95 // 100],
            "s",
            360,
            at_most=True,
            details={"median": lags[len(lags) // 2], "worst": lags[-1], "fresh": len(lags), "overhead": OVERHEAD},
        )
    ]


def minutes_of_the_schedule() -> int:
    """What the DAG file says."""
    found = re.search(r'"\*/(\d+) \* \* \* \*"', (PROJECT / "dags" / "wolkvox_codify.py").read_text())
    assert found
    return int(found[1])


def simulate(seconds: float, interval: float) -> list[float]:
    """The lags of fresh contacts: runs begin with the schedule, or late when the one before is not over."""
    from wolkvox.rules.chunks import deal, sendable

    waiting = [-1.0 - age for age in range(STALE)]  # when each was contacted, the newest first
    lags: list[float] = []
    came, now = 0.0, 0.0
    while now < seconds:
        fresh = []
        while came <= now:
            fresh.append(came)
            came += FRESH_EVERY
        waiting = sorted([*fresh, *waiting], reverse=True)
        most = sendable(interval, CALL)
        chunks, waiting = deal(waiting[:most], CALL), waiting[most:]
        lanes = [now + OVERHEAD, now + OVERHEAD]
        for chunk in chunks:
            free = heappop(lanes)
            for contacted in chunk:
                free += CALL
                if contacted >= 0:
                    lags.append(free - contacted)
            heappush(lanes, free)
        ended = max(lanes)
        now = max(ended, (now // interval + 1) * interval)
    return lags
