"""Balance: how long two workers that share one queue take, over the shortest possible. The rules are the real ones."""

from __future__ import annotations

from collections import deque

from benchmarks.figure import Figure
from benchmarks.place import Place

TASK_START = 2.0  # seconds: what a mapped task costs on two cores
CALL = 0.05  # seconds
CASES = (10_001, 15_000, 29_298, 30_000)


def measure(place: Place) -> list[Figure]:
    """The worst case's makespan less one task start, over half of all requests' time."""
    details = {f"{records:,}": (makespan(records) - TASK_START) / (records * CALL / 2) for records in CASES}
    worst = max(details.values())
    return [Figure("balance as planned: makespan over the ideal", worst, "times", 1.02, at_most=True, details=details)]


def makespan(records: int) -> float:
    """When the last of two slots is through: each takes the newest few again and again, up to its chunk's allotment."""
    from wolkvox.rules.chunks import SLOTS, allotments, batch, share

    chunks, size = deque(allotments(records)), batch(CALL)
    free, left = [0.0] * SLOTS, [0] * SLOTS
    while records > 0:
        slot = free.index(min(free))
        if left[slot] == 0:
            free[slot] += TASK_START if chunks else float("inf")
            left[slot] = chunks.popleft() if chunks else 0
            continue
        taken = share(min(records, SLOTS * size), min(size, left[slot]))
        free[slot] += taken * CALL
        left[slot] -= taken
        records -= taken
    return max(moment for moment in free if moment != float("inf"))
