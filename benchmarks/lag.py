"""From contact to coded while a backlog waits, by simulation: the rules are the real ones, the clock is not."""

from __future__ import annotations

from benchmarks.figure import Figure
from benchmarks.place import Place

STALE = 30_000  # contacts that wait when the first fresh one comes
CALL = 0.5  # seconds
FRESH_EVERY = 1.0  # seconds
HOURS = 2
LOOK_EVERY = 5.0  # seconds between two looks for work
STAGE = 5.0  # seconds from such a look to the end of ``stage``
RUN = 900.0  # seconds that the workers of a run send
TASK_START = 2.0  # seconds between the end of a worker and the first request of the next one


def measure(place: Place) -> list[Figure]:
    """The 95th percentile over the fresh contacts of two hours."""
    lags = sorted(simulate(HOURS * 3_600))
    return [
        Figure(
            "lag by simulation: 30,000 stale contacts at 0.5 s a call, one fresh one a second, 95th percentile",
            lags[len(lags) * 95 // 100],
            "s",
            20,
            at_most=True,
            details={"median": lags[len(lags) // 2], "worst": lags[-1], "fresh": len(lags)},
        )
    ]


def simulate(seconds: float) -> list[float]:
    """The lags of fresh contacts: staged while workers send, and taken by them, the newest first."""
    from wolkvox.rules.chunks import SLOTS, batch, share

    waiting = [-1.0 - age for age in range(STALE, 0, -1)]  # when each was contacted, the newest last
    size, lags = batch(CALL), []
    free = [0.0] * SLOTS
    ends = [RUN] * SLOTS
    came = staged = 0.0
    while (now := min(free)) < seconds:
        worker = free.index(now)
        if now >= ends[worker]:
            free[worker] = now + TASK_START
            ends[worker] = free[worker] + RUN
            continue
        while staged + LOOK_EVERY + STAGE <= now:  # the next look comes after the last stage has ended
            staged += LOOK_EVERY + STAGE
            while came <= staged - STAGE:
                waiting.append(came)
                came += FRESH_EVERY
        taken = share(min(len(waiting), SLOTS * size), size)
        for contacted in sorted(waiting[len(waiting) - taken :], reverse=True):
            free[worker] += CALL
            if contacted >= 0:
                lags.append(free[worker] - contacted)
        del waiting[len(waiting) - taken :]
        free[worker] += 0.0 if taken else CALL
    return lags
