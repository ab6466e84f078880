"""When a run is red, and when its backlog will be gone."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest

from wolkvox.rules.verdict import backlog_gone_at, complaints, failed_ratio

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
MIDNIGHT = datetime(2026, 3, 3, 5, tzinfo=timezone.utc)


def found(
    states: Mapping[str, int],
    *,
    records: int | None = None,
    earlier: int = 0,
    stopped: str | None = None,
    max_failed_ratio: float = 0.05,
    tasks_failed: int = 0,
) -> list[str]:
    """The complaints about a run that staged as many records as the ledger holds, or so many."""
    return complaints(
        staged={"records": sum(states.values()) if records is None else records, "earlier": earlier},
        states=states,
        stopped=stopped,
        max_failed_ratio=max_failed_ratio,
        tasks_failed=tasks_failed,
    )


@pytest.mark.parametrize(
    "states",
    [{}, {"coded": 100}, {"coded": 95, "rejected": 5}, {"coded": 95, "failed": 2, "rejected": 3}],
)
def test_a_run_whose_records_are_done_is_green(states: Mapping[str, int]) -> None:
    assert found(states) == []


def test_too_many_failures_are_red() -> None:
    assert found({"coded": 94, "failed": 2, "rejected": 4}) == [
        "4 records were rejected and 2 failed: 6.0% of those answered for, more than the 5.0% allowed. The ledger"
        " holds the vendor's words (columns reason, response_msg)."
    ]


def test_no_failure_at_all_may_be_allowed_and_every_one() -> None:
    assert len(found({"coded": 9_999, "failed": 1}, max_failed_ratio=0.0)) == 1
    assert found({"rejected": 10}, max_failed_ratio=1.0) == []


def test_records_that_wait_without_a_reason_are_red() -> None:
    assert found({"coded": 8, "pending": 1, "sending": 1}) == [
        "2 records of this run are still waiting although nothing was in their way."
    ]


def test_records_that_wait_for_tomorrows_calls_are_green() -> None:
    assert found({"coded": 8, "pending": 2}, stopped="quota") == []


def test_a_stage_that_did_not_finish_is_red() -> None:
    assert complaints(staged=None, states={}, stopped=None, max_failed_ratio=1.0, tasks_failed=0) == [
        "stage did not finish: see its log. What it had written is in the ledger, the next run takes it up."
    ]


def test_codify_tasks_that_did_not_finish_are_red_beside_what_they_left() -> None:
    assert found({"coded": 5, "pending": 5}, tasks_failed=1) == [
        "1 codify task(s) did not finish: see their logs. The next run takes up their rest.",
        "5 records of this run are still waiting although nothing was in their way.",
    ]


def test_records_that_nobody_staged_are_red() -> None:
    assert found({"coded": 10}, records=9) == ["the ledger holds 1 records more than this run staged."]


def test_records_of_the_runs_own_earlier_chunks_are_green() -> None:
    assert found({"coded": 100}, records=0, earlier=100) == []


def test_a_stage_that_ran_before_an_upgrade_is_understood() -> None:
    staged = {"records": 10}
    assert complaints(staged=staged, states={"coded": 10}, stopped=None, max_failed_ratio=0, tasks_failed=0) == []


def test_records_that_another_run_took_over_are_green() -> None:
    assert found({"coded": 9}, records=10) == []


def test_the_share_of_failures_counts_only_what_was_answered_for() -> None:
    assert failed_ratio({}) == 0.0
    assert failed_ratio({"pending": 1_000, "superseded": 5}) == 0.0
    assert failed_ratio({"coded": 6, "failed": 1, "rejected": 1, "pending": 92}) == 0.25


@pytest.mark.parametrize(
    ("waiting", "left_today", "daily", "gone_at"),
    [
        (0, 0, 500, NOW),
        (700, None, None, NOW),
        (700, 700, 500, NOW),
        (700, 200, 500, MIDNIGHT),
        (701, 200, 500, MIDNIGHT + timedelta(days=1)),
        (1_700, 0, 500, MIDNIGHT + timedelta(days=3)),
        (700, 200, None, None),
        (700, 200, 0, None),
    ],
)
def test_the_backlog_is_gone_at_the_pace_of_the_days_calls(
    waiting: int, left_today: int | None, daily: int | None, gone_at: datetime | None
) -> None:
    assert backlog_gone_at(waiting, left_today=left_today, daily=daily, now=NOW, resets_at=MIDNIGHT) == gone_at
