"""Chunks of at most 10,000 records, any campaigns, dealt so that both slots hold the newest that is left."""

from collections import Counter
from collections.abc import Sequence
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.chunks import balance, deal, sendable

SLOW, QUICK = 0.5, 0.001  # seconds a call


def sent_in_order(chunks: Sequence[Sequence[int]], lanes: int = 2) -> list[int]:
    """The records as they are sent when each call takes as long as any other: the free lane takes the next chunk."""
    lane_free_at, calls = [0] * lanes, []
    for chunk in chunks:
        lane = lane_free_at.index(min(lane_free_at))
        calls += [(lane_free_at[lane] + place, record) for place, record in enumerate(chunk)]
        lane_free_at[lane] += len(chunk)
    return [record for _, record in sorted(calls)]


@pytest.mark.parametrize(
    ("total", "parts", "sizes"),
    [(0, 1, []), (-1, 1, []), (1, 1, [1]), (11, 2, [6, 5]), (25, 3, [9, 8, 8])],
)
def test_a_total_falls_into_equal_parts(total: int, parts: int, sizes: list[int]) -> None:
    assert balance(total, parts) == sizes


def test_nothing_to_send_makes_no_chunk() -> None:
    assert deal([], SLOW) == []


def test_records_are_dealt_to_both_slots_like_cards() -> None:
    assert deal(list(range(9)), SLOW) == [[0, 2, 4, 6, 8], [1, 3, 5, 7]]


def test_a_thousand_campaigns_of_one_are_two_chunks() -> None:
    assert [len(chunk) for chunk in deal(list(range(1_000)), 0.05)] == [500, 500]


def test_one_slot_gets_what_is_sent_before_a_second_task_would_pay() -> None:
    assert deal([1, 2, 3, 4], SLOW) == [[1, 2, 3, 4]]
    assert deal([1, 2, 3, 4, 5], SLOW) == [[1, 3, 5], [2, 4]]
    assert len(deal(list(range(40)), 0.05)) == 1


def test_ten_thousand_and_one_records_finish_together() -> None:
    assert [len(chunk) for chunk in deal(list(range(10_001)), SLOW)] == [5_001, 5_000]
    assert [len(chunk) for chunk in deal(list(range(10_001)), 1e-6)] == [5_001, 5_000]


def test_more_than_both_slots_can_take_at_once_falls_into_even_rounds() -> None:
    assert [len(chunk) for chunk in deal(list(range(50_000)), SLOW)] == [8_334, 8_333, 8_334, 8_333, 8_333, 8_333]


@given(st.integers(0, 60_000), st.sampled_from([SLOW, QUICK]))
def test_every_record_is_in_exactly_one_chunk_of_what_the_vendor_takes(total: int, seconds: float) -> None:
    chunks = deal(range(total), seconds)
    assert Counter(record for chunk in chunks for record in chunk) == Counter(range(total))
    assert all(1 <= len(chunk) <= 10_000 for chunk in chunks)
    assert len(chunks) <= 2 * ceil(total / 20_000)


@given(st.integers(0, 5_000), st.integers(1, 700))
def test_over_both_slots_the_newest_goes_first_but_for_the_last_few(total: int, limit: int) -> None:
    order = sent_in_order(deal(range(total), SLOW, limit))
    assert all(abs(place - record) <= 2 * ceil(total / limit) + 2 for place, record in enumerate(order))


@given(st.integers(5, 60_000))
def test_both_slots_finish_within_a_round_of_each_other(total: int) -> None:
    chunks = deal(range(total), SLOW)
    sizes = [sum(map(len, chunks[lane::2])) for lane in range(2)]
    assert abs(sizes[0] - sizes[1]) <= len(chunks)


def test_a_run_takes_up_what_both_slots_can_send_in_its_time() -> None:
    assert sendable(120.0, 0.5) == 480
    assert sendable(60.0, 0.7) == 171
