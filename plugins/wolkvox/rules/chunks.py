"""How many workers a run gets, and how much each of them may take. Pure."""

from __future__ import annotations

from math import ceil

SLOTS = 2  # simultaneous requests a token may have [vendor's page on the codify API]
MAX_CHUNK = 10_000  # records a consumption may upload [same page]
FEW = 10  # records that one worker sends sooner than a second task starts
BATCH = 20  # records a worker takes at once, at most
BATCH_SECONDS = 2.0  # of work: what is staged meanwhile waits no longer for a worker


def allotments(
    records: int, under_way: int = 0, limit: int | None = None, most_chunks: int = 1_000, *, is_trial: bool = False
) -> list[int]:
    """
    Return the chunks a run makes: for each, the most records that its worker may take.

    One worker for a few records, else one for each slot, and as many more rounds of those as the limit of a chunk asks
    for: a round of fewer would leave a slot idle.

    :param records: that may be sent now
    :param under_way: workers that take from the same queue already
    :param limit: records that the run may send at most; its chunks then share it evenly
    :param is_trial: whether the circuit breaker is open: one worker tries whether the outage is over
    """
    if limit is not None:
        records = min(records, limit)
    if records <= 0:
        return []
    wanted = 1 if is_trial or records <= FEW else SLOTS * ceil(records / (SLOTS * MAX_CHUNK))
    chunks = min(wanted - under_way, most_chunks)
    if chunks <= 0:
        return []
    return [MAX_CHUNK] * chunks if limit is None else [min(size, MAX_CHUNK) for size in balance(records, chunks)]


def balance(total: int, parts: int) -> list[int]:
    """Return the sizes of so many parts of a total, which differ by one at most, the larger ones first."""
    if total <= 0:
        return []
    small, larger = divmod(total, parts)
    return [small + 1] * larger + [small] * (parts - larger)


def batch(seconds_per_request: float) -> int:
    """Return how many records a worker takes at once: two seconds' work, so that the newest never wait for long."""
    if seconds_per_request <= 0:
        return BATCH
    return max(1, min(BATCH, int(BATCH_SECONDS / seconds_per_request)))


def share(left: int, size: int) -> int:
    """Return how many of the records left a worker takes: half of the last ones, so that all workers end together."""
    return min(size, ceil(left / SLOTS)) if left < SLOTS * size else size
