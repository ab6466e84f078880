"""How many workers a run gets, how much each may take at most, and how much it takes at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.chunks import BATCH, FEW, MAX_CHUNK, SLOTS, allotments, balance, batch, share

SLOW, QUICK = 0.5, 0.001  # seconds a request


def ends(records: int, size: int, seconds: tuple[int, int]) -> list[int]:
    """
    When two workers that share a queue are through, in ticks; a request of each takes so many of them.

    Who has nothing left takes from the queue, and when that is empty half of what the other has not sent yet.
    """
    queues, free, ended = [0] * SLOTS, [0] * SLOTS, [0] * SLOTS
    for tick in range(2 * records * max(seconds) + 2):
        for worker in range(SLOTS):
            if free[worker] > tick:
                continue
            if queues[worker] == 0:
                queues[worker] = share(min(records, SLOTS * size), size)
                records -= queues[worker]
            if queues[worker] == 0:
                queues[worker] = (queues[1 - worker] + 1) // 2
                queues[1 - worker] -= queues[worker]
            if queues[worker]:
                queues[worker] -= 1
                free[worker] = ended[worker] = tick + seconds[worker]
    assert records == sum(queues) == 0
    return ended


@pytest.mark.parametrize(
    ("total", "parts", "sizes"),
    [(0, 1, []), (-1, 1, []), (1, 1, [1]), (11, 2, [6, 5]), (25, 3, [9, 8, 8])],
)
def test_a_total_falls_into_equal_parts(total: int, parts: int, sizes: list[int]) -> None:
    assert balance(total, parts) == sizes


@given(st.integers(1, 100_000), st.integers(1, 50))
def test_the_parts_are_the_whole_and_differ_by_one_at_most(total: int, parts: int) -> None:
    sizes = balance(total, parts)
    assert (sum(sizes), len(sizes)) == (total, parts)
    assert max(sizes) - min(sizes) <= 1


# How many workers


def test_nothing_to_send_makes_no_chunk() -> None:
    assert allotments(0) == []
    assert allotments(-1) == []


def test_one_worker_sends_a_few_records_and_two_share_more() -> None:
    assert allotments(1) == [MAX_CHUNK]
    assert allotments(FEW) == [MAX_CHUNK]
    assert allotments(FEW + 1) == [MAX_CHUNK] * 2
    assert allotments(20_000) == [MAX_CHUNK] * 2


def test_more_than_both_slots_may_take_at_once_makes_as_many_rounds_as_the_limit_of_a_chunk_asks_for() -> None:
    """A third chunk alone would be sent through one slot, while the other one is idle."""
    assert allotments(20_001) == [MAX_CHUNK] * 4
    assert allotments(50_000) == [MAX_CHUNK] * 6


def test_workers_under_way_take_what_waits_and_only_the_missing_ones_are_added() -> None:
    assert allotments(1_000, under_way=2) == []
    assert allotments(1_000, under_way=1) == [MAX_CHUNK]
    assert allotments(3, under_way=1) == []
    assert allotments(30_000, under_way=2) == [MAX_CHUNK] * 2
    assert allotments(1_000, under_way=9) == []


def test_a_limit_of_records_is_shared_evenly() -> None:
    assert allotments(1_000, limit=3) == [3]
    assert allotments(1_000, limit=25) == [13, 12]
    assert allotments(7, limit=25) == [7]
    assert allotments(100_000, limit=20_002) == [5_001, 5_001, 5_000, 5_000]
    assert allotments(1_000, limit=0) == []


def test_airflow_maps_no_more_tasks_than_it_may() -> None:
    assert allotments(50_000, most_chunks=2) == [MAX_CHUNK] * 2
    assert allotments(50_000, under_way=1, most_chunks=2) == [MAX_CHUNK] * 2
    assert allotments(50_000, most_chunks=0) == []


def test_a_limit_that_few_chunks_can_not_hold_is_cut_to_what_the_vendor_takes() -> None:
    assert allotments(50_000, limit=50_000, most_chunks=2) == [MAX_CHUNK] * 2


@given(st.integers(-5, 200_000), st.integers(0, 5), st.none() | st.integers(0, 100_000), st.integers(0, 40))
def test_no_chunk_is_larger_than_the_vendor_takes_and_none_is_empty(
    records: int, under_way: int, limit: int | None, most_chunks: int
) -> None:
    sizes = allotments(records, under_way, limit, most_chunks)
    assert all(1 <= size <= MAX_CHUNK for size in sizes)
    assert len(sizes) <= most_chunks
    if limit is not None:
        assert sum(sizes) <= max(0, min(records, limit))


@given(st.integers(1, 200_000), st.integers(0, 3))
def test_the_workers_together_may_take_all_that_waits(records: int, under_way: int) -> None:
    assert sum(allotments(records, under_way)) + under_way * MAX_CHUNK >= min(records, (SLOTS + 18) * MAX_CHUNK)


# How much a worker takes at once


@pytest.mark.parametrize(
    ("seconds", "records"),
    [(0.0, BATCH), (QUICK, BATCH), (0.1, BATCH), (0.2, 10), (SLOW, 4), (1.0, 2), (1.5, 1), (60.0, 1), (1e9, 1)],
)
def test_a_worker_takes_about_two_seconds_work(seconds: float, records: int) -> None:
    assert batch(seconds) == records


def test_of_the_last_records_a_worker_takes_half() -> None:
    assert [share(found, 20) for found in (1_000, 40, 39, 10, 3, 2, 1, 0)] == [20, 20, 20, 5, 2, 1, 1, 0]


@given(st.integers(2, 400), st.integers(1, BATCH), st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_two_workers_that_share_a_queue_end_within_a_request_of_each_other(
    records: int, size: int, seconds: tuple[int, int]
) -> None:
    one, other = ends(records, size, seconds)
    assert abs(one - other) <= max(seconds)


@pytest.mark.parametrize(
    ("records", "under_way", "limit", "chunks"),
    [(50_000, 0, None, [MAX_CHUNK]), (50_000, 1, None, []), (50_000, 0, 20, [20]), (3, 0, 20, [3]), (0, 0, None, [])],
)
def test_while_an_outage_is_known_one_worker_tries_with_all_that_the_run_may_send(
    records: int, under_way: int, limit: int | None, chunks: list[int]
) -> None:
    assert allotments(records, under_way, limit, is_trial=True) == chunks
