"""What codifying was impact: dials that came in the gap, by the minutes that the customer had been reached. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)  # bounds between the parts that dials are counted in


def by_minutes(seconds: Iterable[float]) -> list[int]:
    """How many dials came less than ``MINUTES[0]`` minutes after the contact, less than ``MINUTES[1]``, …, later."""
    parts = [0] * (len(MINUTES) + 1)
    for length in seconds:
        parts[bisect_right(MINUTES, length / 60)] += 1
    return parts


def lag_sensitivity(parts: Sequence[int]) -> dict[int, int]:
    """For each of ``MINUTES``: the dials that would not have been, had each contact been codified within so many."""
    return {minutes: sum(parts[place + 1 :]) for place, minutes in enumerate(MINUTES)}
