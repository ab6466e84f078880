"""Balance: how long the plan of a run takes in two lanes, over the shortest possible."""

from __future__ import annotations

from benchmarks.figure import Figure
from benchmarks.place import Place

TASK_START = 2.0  # seconds: what a mapped task costs on two cores
CALL = 0.05  # seconds
CASES = {
    "10,001": [10_001],
    "15,000": [15_000],
    "30,000": [30_000],
    "five uneven campaigns": [17_203, 9_001, 2_750, 333, 12],
}


def measure(place: Place) -> list[Figure]:
    """The worst case's makespan less one task start, over half of all calls' time."""
    from wolkvox.rules.chunks import deal

    worst, details = 0.0, {}
    for name, sizes in CASES.items():
        chunks = [len(chunk) for chunk in deal(range(sum(sizes)), CALL)]
        over = (makespan([TASK_START + size * CALL for size in chunks]) - TASK_START) / (sum(sizes) * CALL / 2)
        details[name] = {"chunks": chunks, "over_ideal": over}
        worst = max(worst, over)
    return [Figure("balance as planned: makespan over the ideal", worst, "times", 1.02, at_most=True, details=details)]


def makespan(chunks: list[float]) -> float:
    """When the last of two lanes ends, each taking the next chunk as it gets free, as the pool does."""
    lanes = [0.0, 0.0]
    for chunk in chunks:
        lanes[lanes.index(min(lanes))] += chunk
    return max(lanes)
