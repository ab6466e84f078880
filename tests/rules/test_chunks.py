"""Chunks of at most 10,000 records, one campaign each, that let both slots finish together."""

from collections import Counter
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.chunks import MAX_CHUNK, Campaign, Cut, balance, plan

CAMPAIGNS = st.dictionaries(
    st.tuples(st.sampled_from(["preview", "predictive"]), st.integers(1, 99).map(str)),
    st.one_of(st.integers(0, 5), st.integers(0, 60_000)),
    max_size=12,
)


def sizes(cuts: list[Cut]) -> list[int]:
    return [cut.size for cut in cuts]


def records(cuts: list[Cut]) -> Counter[tuple[str, str, int]]:
    """How often each record of each campaign is in a chunk."""
    return Counter(
        (cut.type_campaign, cut.campaign_id, place) for cut in cuts for place in range(cut.first, cut.first + cut.size)
    )


def makespan(cuts: list[Cut], lanes: int = 2) -> int:
    """Calls until the last lane is done, when the lane that is free first takes the next chunk."""
    busy_until = [0] * lanes
    for cut in cuts:
        first_free = busy_until.index(min(busy_until))
        busy_until[first_free] += cut.size
    return max(busy_until)


@pytest.mark.parametrize(
    ("total", "limit", "parts"),
    [
        (0, 10, []),
        (-1, 10, []),
        (1, 10, [1]),
        (10, 10, [10]),
        (11, 10, [6, 5]),
        (25, 10, [9, 8, 8]),
        (10_001, MAX_CHUNK, [5_001, 5_000]),
    ],
)
def test_a_total_falls_into_the_fewest_equal_parts(total: int, limit: int, parts: list[int]) -> None:
    assert balance(total, limit) == parts


@given(st.integers(1, 10**6), st.integers(1, 10**4))
def test_equal_parts_are_as_few_as_the_limit_allows_and_differ_by_one(total: int, limit: int) -> None:
    parts = balance(total, limit)
    assert sum(parts) == total
    assert len(parts) == ceil(total / limit)
    assert max(parts) <= limit
    assert max(parts) - min(parts) <= 1


def test_ten_thousand_and_one_records_finish_together() -> None:
    assert plan({("preview", "7"): 10_001}) == [Cut("preview", "7", 0, 5_001), Cut("preview", "7", 5_001, 5_000)]


def test_nothing_to_send_makes_no_chunk() -> None:
    assert plan({}) == []
    assert plan({("preview", "7"): 0}) == []


def test_one_record_is_one_chunk() -> None:
    assert plan({("preview", "7"): 1}) == [Cut("preview", "7", 0, 1)]


def test_more_than_both_slots_can_take_at_once_is_cut_into_even_rounds() -> None:
    assert sizes(plan({("preview", "7"): 50_000})) == [8_334, 8_334, 8_333, 8_333, 8_333, 8_333]


def test_five_uneven_campaigns_finish_together() -> None:
    campaigns: dict[Campaign, int] = {
        ("predictive", "1"): 9_000,
        ("preview", "2"): 400,
        ("preview", "3"): 2_500,
        ("predictive", "4"): 30,
        ("preview", "5"): 1_071,
    }
    cuts = plan(campaigns)
    assert cuts == [
        Cut("predictive", "1", 0, 6_501),
        Cut("predictive", "1", 6_501, 2_499),
        Cut("preview", "3", 0, 2_500),
        Cut("preview", "5", 0, 1_071),
        Cut("preview", "2", 0, 400),
        Cut("predictive", "4", 0, 30),
    ]
    assert makespan(cuts) == 6_501


@given(CAMPAIGNS)
def test_every_record_is_in_exactly_one_chunk(campaigns: dict[Campaign, int]) -> None:
    counted = records(plan(campaigns))
    assert counted == {(*campaign, place): 1 for campaign, count in campaigns.items() for place in range(count)}


@given(CAMPAIGNS)
def test_no_chunk_is_empty_or_above_what_the_vendor_takes(campaigns: dict[Campaign, int]) -> None:
    assert all(1 <= size <= 10_000 for size in sizes(plan(campaigns)))


@given(CAMPAIGNS)
def test_both_slots_finish_within_one_record_of_each_other(campaigns: dict[Campaign, int]) -> None:
    assert makespan(plan(campaigns)) <= sum(campaigns.values()) / 2 + 1


@given(CAMPAIGNS, st.integers(1, 6), st.integers(1, 500))
def test_any_number_of_lanes_and_any_limit_keep_the_balance(
    campaigns: dict[Campaign, int], lanes: int, limit: int
) -> None:
    cuts = plan(campaigns, limit, lanes)
    assert sum(sizes(cuts)) == sum(campaigns.values())
    assert all(1 <= size <= limit for size in sizes(cuts))
    assert makespan(cuts, lanes) <= ceil(sum(campaigns.values()) / lanes)


@given(CAMPAIGNS)
def test_there_are_few_chunks(campaigns: dict[Campaign, int]) -> None:
    needed = sum(ceil(count / MAX_CHUNK) for count in campaigns.values())
    assert len(plan(campaigns)) <= needed + 1
