"""How a run's records are dealt into chunks: both slots always hold the newest that is left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

SLOTS = 2  # simultaneous requests a token may have [vendor's page on the codify call]
MAX_CHUNK = 10_000  # records a consumption may upload [same page]
TASK_START = 1.0  # seconds: a second task has to save more than its own start costs

Record = TypeVar("Record")


def deal(newest_first: Sequence[Record], seconds_per_call: float, limit: int = MAX_CHUNK) -> list[Sequence[Record]]:
    """
    Deal records into the fewest equal chunks of at most ``limit``, in the order in which they are to start.

    Like cards: one to each slot in turn, so that the two chunks that are sent side by side hold the newest records
    there are, each of them newest first. What is more than both slots can take at once falls into even rounds.

    :param seconds_per_call: one slot alone gets what is sent sooner than a second task pays
    """
    total = len(newest_first)
    lanes = 1 if total <= limit and total * seconds_per_call / SLOTS <= TASK_START else SLOTS
    chunks: list[Sequence[Record]] = []
    taken = 0
    for size in balance(total, ceil(total / (limit * lanes))):
        cards = newest_first[taken : taken + size]
        chunks.extend(cards[lane::lanes] for lane in range(min(lanes, size)))
        taken += size
    return chunks


def balance(total: int, parts: int) -> list[int]:
    """Sizes of so many parts of a total that differ by one at most, the larger ones first."""
    if total <= 0:
        return []
    small, larger = divmod(total, parts)
    return [small + 1] * larger + [small] * (parts - larger)


def sendable(seconds: float, seconds_per_call: float) -> int:
    """How many records both slots can send in so many seconds."""
    return int(SLOTS * seconds / seconds_per_call)
