"""How often and how far apart requests are tried again."""

from __future__ import annotations

from pathlib import Path

import pytest

from wolkvox.rules.retry_policy import TRIALS, RetryPolicy, backoff, deferred, doubled

POLICY = RetryPolicy()


@pytest.mark.parametrize(
    ("tries", "least", "most"), [(1, 0.5, 1.0), (2, 1.0, 2.0), (4, 4.0, 8.0), (9, 30.0, 60.0), (9_999, 30.0, 60.0)]
)
def test_a_wait_doubles_up_to_its_cap_and_half_of_it_is_jitter(tries: int, least: float, most: float) -> None:
    assert [backoff(1.0, 60.0, tries, chance) for chance in (0.0, 0.5, 1.0)] == [least, (least + most) / 2, most]


def test_a_delay_doubles_up_to_its_cap() -> None:
    assert [doubled(60.0, 960.0, times) for times in (-1, 0, 1, 2, 4, 5, 9_999)] == [60, 60, 120, 240, 960, 960, 960]


def test_a_record_that_failed_is_the_next_runs_then_waits_longer_each_time() -> None:
    assert deferred(POLICY, 1, before=False) == 0.0
    delays = [deferred(POLICY, requests, before=True) for requests in range(2, 8)]
    assert delays == [900, 1_800, 3_600, 7_200, 14_400, 28_800]


def test_tries_used_up_in_one_run_are_the_next_runs_too_and_lengthen_no_delay() -> None:
    assert deferred(POLICY, 5, before=False, at_once=5) == 0.0
    assert [deferred(POLICY, requests, before=True, at_once=5) for requests in (6, 7, 8)] == [900, 1_800, 3_600]


FAULTS = Path(__file__).parents[2] / "docs" / "faults.md"
MINUTE, HOUR = 60, 3_600
DOCUMENTED = [
    f"{POLICY.tries} attempts in its first run",
    f"after {POLICY.first_delay / MINUTE:.0f} minutes, 30, 1 hour",
    f"up to {deferred(POLICY, POLICY.requests - 1, before=True) / HOUR:.0f} hours",
    f"{POLICY.requests} requests in its life",
    f"{POLICY.blocked} requests, then it is rejected",
    f"{POLICY.refusals} different records of a campaign in a row",
    f"{POLICY.outages} different ones fail",
    f"{TRIALS} records try it after {POLICY.first_suspension / MINUTE:.0f} minutes",
    f"up to {POLICY.longest_suspension / HOUR:.0f} hours",
    f"after {POLICY.first_breaker_delay / MINUTE:.0f} minute, 2, up to {POLICY.longest_breaker_delay / MINUTE:.0f}",
]


@pytest.mark.parametrize("phrase", DOCUMENTED)
def test_the_docs_say_what_the_defaults_are(phrase: str) -> None:
    assert phrase in " ".join(FAULTS.read_text().replace("`", "").split())


def test_the_docs_say_how_long_wolkvox_may_ask_to_wait() -> None:
    assert POLICY.longest_retry_after == 5 * MINUTE
    assert "at most five minutes" in FAULTS.read_text()


def test_within_a_run_a_worker_waits_a_second_at_first_and_a_minute_at_most() -> None:
    assert (POLICY.first_wait, POLICY.maintenance_wait, POLICY.longest_wait) == (1, 15, MINUTE)


def test_no_delay_outlasts_half_a_day() -> None:
    """Who wants to chase a record for longer raises ``requests``: the delays stay as they are."""
    assert deferred(POLICY, 99, before=True) == POLICY.longest_delay == 12 * HOUR


def test_the_end_of_a_run_and_a_suspended_campaign_need_three_records_or_requests() -> None:
    """Fewer would be one bad record, or the two slots' latest ones; more would cost a contact a day's requests."""
    assert (POLICY.enough, POLICY.refused_trials) == (3, 3)
