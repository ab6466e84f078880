"""In-chunk efficiency: two codify tasks' work against two bare loops that write nothing."""

from __future__ import annotations

from statistics import median

from sandbox_server import SandboxServer

from benchmarks.figure import Figure
from benchmarks.place import Place
from benchmarks.sending import send_bare, send_ours

CASES = ((0.02, 2_000, 0.95), (0.05, 1_200, 0.97))  # seconds a call, records, efficiency to reach


def measure(place: Place) -> list[Figure]:
    """Bare seconds over ours, medians of interleaved repetitions."""
    figures = []
    with SandboxServer() as sandbox:
        for latency, full, reach in CASES:
            count = place.pick(full, full // 4)
            ours, bare = [], []
            for _ in range(place.pick(3, 1)):
                bare.append(send_bare(sandbox, count, latency).seconds)
                ours.append(send_ours(place, sandbox, count, latency).seconds)
            figures.append(
                Figure(
                    f"in-chunk efficiency at {latency * 1000:.0f} ms",
                    median(bare) / median(ours),
                    "of two bare loops",
                    reach,
                    details={
                        "records": count,
                        "bare_records_per_second": count / median(bare),
                        "our_records_per_second": count / median(ours),
                        "ceiling": 2 / latency,
                        "bare_seconds": sorted(bare),
                        "our_seconds": sorted(ours),
                    },
                )
            )
    return figures
