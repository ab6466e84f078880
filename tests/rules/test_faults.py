"""Whose fault it is when records fail: their own, their campaign's, or everybody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wolkvox.rules.answers import Kind
from wolkvox.rules.faults import (
    AGAIN,
    CERTAIN,
    HOST,
    REFUSALS,
    REVERTED,
    UNCOUNTED,
    Fault,
    is_campaigns,
    is_settled,
    refuses_everything,
)
from wolkvox.rules.retry_policy import RetryPolicy

POLICY = RetryPolicy()


def fault(*, checks: bool) -> Fault:
    return Fault(1, ("preview", "17"), "overloaded_500", "500", "Look.", refused=False, checks=checks)


@pytest.mark.parametrize(
    ("campaigns", "checks", "others_wait", "settled"),
    [
        (1, False, False, True),
        (1, False, True, False),
        (1, True, True, False),
        (9, True, True, False),
        (10, False, True, False),
        (10, True, True, True),
    ],
)
def test_a_record_of_another_campaign_is_sent_before_it_is_everybodys_fault(
    campaigns: int, checks: bool, others_wait: bool, settled: bool
) -> None:
    """As long as there is one, and until ten campaigns have failed."""
    assert is_settled(campaigns, fault(checks=checks), POLICY, others_wait=others_wait) is settled


@pytest.mark.parametrize(
    ("failed", "refused", "campaigns"),
    [(0, 49, False), (0, 50, True), (9, 0, False), (10, 0, True), (9, 49, False), (10, 49, True), (0, 0, False)],
)
def test_a_campaign_is_at_fault_after_ten_failures_or_fifty_refusals(
    failed: int, refused: int, campaigns: bool
) -> None:
    assert is_campaigns(failed, refused, POLICY) is campaigns


@pytest.mark.parametrize(
    ("campaigns", "everything"),
    [
        (["a"] * 5_000, False),
        (["a"] * 500 + ["b"] * 500, False),
        (["a"] * 500 + ["b"] * 9, False),
        (["a"] * 20 + ["b"] * 20 + ["c"] * 9, False),
        (["a"] * 20 + ["b"] * 20 + ["c"] * 10, True),
        (["a"] * 500 + ["b"] * 20 + ["c"] * 10, True),
        ([str(number) for number in range(50)], True),
    ],
)
def test_one_or_two_dead_campaigns_are_no_refusal_of_everything(campaigns: list[str], everything: bool) -> None:
    of_types = [("preview", campaign) for campaign in campaigns]
    assert refuses_everything(POLICY, of_types) is everything


@given(st.lists(st.sampled_from([("preview", "1"), ("preview", "2"), ("predictive", "1")]), max_size=200))
def test_no_two_campaigns_alone_are_ever_everything(campaigns: list[tuple[str, str]]) -> None:
    if refuses_everything(POLICY, campaigns):
        assert len(set(campaigns)) == 3


def test_each_answer_that_is_no_success_says_something_of_somebody() -> None:
    ours = {Kind.QUOTA, Kind.CODED}  # the day's requests are used up; it is done
    of_records = REFUSALS | AGAIN | {Kind.UNKNOWN}
    assert set(Kind) == ours | of_records | HOST | CERTAIN
    assert not of_records & (HOST | CERTAIN)


def test_a_conflict_is_tried_again_counts_as_an_attempt_and_is_never_reverted() -> None:
    """The dialler holds that record: it says nothing of the others, so that no outage undoes its attempts."""
    assert Kind.CONFLICT in AGAIN
    assert Kind.CONFLICT not in UNCOUNTED | REVERTED


def test_only_what_counts_as_an_attempt_is_reverted() -> None:
    assert not REVERTED & UNCOUNTED
    assert REVERTED <= AGAIN
