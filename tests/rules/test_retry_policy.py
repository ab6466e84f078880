"""How far apart and how often a fault is chased."""

from __future__ import annotations

from wolkvox.rules.retry_policy import RetryPolicy, deferred, doubled

POLICY = RetryPolicy()


def test_a_pause_doubles_up_to_its_cap() -> None:
    assert [doubled(60.0, 960.0, times) for times in (-1, 0, 1, 2, 4, 5, 9_999)] == [60, 60, 120, 240, 960, 960, 960]


def test_a_record_that_went_wrong_is_the_next_runs_then_waits_longer_each_time() -> None:
    assert deferred(POLICY, 1, before=False) == 0.0
    pauses = [deferred(POLICY, requests, before=True) for requests in range(2, 8)]
    assert pauses == [900, 1_800, 3_600, 7_200, 14_400, 28_800]


def test_tries_used_up_in_one_run_are_the_next_runs_too_and_lengthen_no_pause() -> None:
    assert deferred(POLICY, 5, before=False, at_once=5) == 0.0
    assert [deferred(POLICY, requests, before=True, at_once=5) for requests in (6, 7, 8)] == [900, 1_800, 3_600]
