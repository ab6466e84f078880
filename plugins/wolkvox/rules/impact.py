"""The impact of codifying: dials of customers who had been reached, by the minutes since then. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)  # bounds between the parts that dials are counted in


def by_minutes(seconds: Iterable[float]) -> list[int]:
    """Return how many dials came within ``MINUTES[0]`` minutes of the contact, within ``MINUTES[1]``, …, and later."""
    parts = [0] * (len(MINUTES) + 1)
    for length in seconds:
        parts[bisect_right(MINUTES, length / 60)] += 1
    return parts


def lag_sensitivity(parts: Sequence[int]) -> dict[int, int]:
    """Return for each of ``MINUTES`` the dials that codifying each contact within so many would have prevented."""
    return {minutes: sum(parts[place + 1 :]) for place, minutes in enumerate(MINUTES)}
