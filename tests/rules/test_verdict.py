"""When a run is red, and when its backlog will be gone."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wolkvox.rules.shares import Outcomes
from wolkvox.rules.verdict import backlog_gone_at, complaints, failed_ratio, left_at

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
MIDNIGHT = datetime(2026, 3, 3, 5, tzinfo=timezone.utc)


@dataclass
class Chunk:
    """Where the records of a chunk are."""

    states: Mapping[str, int]
    deferred: int = 0
    suspended: int = 0
    missing: int = 0


def found(*chunks: Chunk, stopped: Mapping[str, str | None] | None = None, **more: Any) -> dict[str, str]:
    """The complaints about a run with these chunks, whose tasks all finished unless ``stopped`` says otherwise."""
    accounts = {str(number): chunk for number, chunk in enumerate(chunks)}
    states: Counter[str] = Counter()
    for chunk in chunks:
        states.update(chunk.states)
    usual: dict[str, Any] = {"staged": True, "states": states, "max_failed_ratio": 0.05, "latest": Outcomes()}
    return complaints(
        accounts=accounts, stopped=dict.fromkeys(accounts) if stopped is None else stopped, **usual | more
    )


@pytest.mark.parametrize(
    "states",
    [{}, {"coded": 100}, {"coded": 95, "rejected": 5}, {"coded": 90, "failed": 2, "rejected": 8}],
)
def test_a_run_whose_records_are_done_is_green(states: Mapping[str, int]) -> None:
    assert found(Chunk(states)) == {}


def test_too_many_failures_are_red() -> None:
    assert found(Chunk({"coded": 89, "failed": 2, "rejected": 9})) == {
        "refusals": "Of 100 records 9 were rejected and 2 failed, more than the 5.0% allowed. The ledger holds the"
        " vendor's answers (columns reason, response_msg)."
    }


def test_a_run_of_few_records_is_judged_by_the_latest_of_its_operation() -> None:
    few = Chunk({"coded": 18, "rejected": 2})
    assert found(few, latest=Outcomes(1_000, 20)) == {}
    assert found(few, latest=Outcomes(1_000, 40, 20)) == {
        "refusals": "Of 1000 records 40 were rejected and 20 failed, more than the 5.0% allowed. The ledger holds the"
        " vendor's answers (columns reason, response_msg)."
    }


@pytest.mark.parametrize(("total", "wrong"), [(20, 2), (1, 1), (50, 2), (2_000, 100)])
def test_two_refusals_of_twenty_are_not_red_nor_one_alone(total: int, wrong: int) -> None:
    assert found(Chunk({"rejected": 1}), latest=Outcomes(total, wrong)) == {}


@pytest.mark.parametrize(("total", "wrong"), [(20, 3), (2, 2), (5, 5), (50, 3), (2_000, 101)])
def test_a_small_operation_that_is_refused_is_red(total: int, wrong: int) -> None:
    assert found(Chunk({"rejected": 1}), latest=Outcomes(total, wrong)).keys() == {"refusals"}


def test_a_run_in_which_all_went_well_is_green_while_others_are_red() -> None:
    assert found(Chunk({"coded": 5}), latest=Outcomes(100, 50)) == {}
    assert found(latest=Outcomes(100, 50)) == {}


def test_a_run_of_many_records_is_judged_by_its_own_too() -> None:
    """Over twice the share: of the many runs of a day some are over it once, by chance."""
    good = Outcomes(10_000, 200)
    assert found(Chunk({"coded": 94, "rejected": 6}), latest=good) == {}
    assert found(Chunk({"coded": 40, "rejected": 10}), latest=good).keys() == {"refusals"}
    assert found(Chunk({"coded": 39, "rejected": 10}), latest=good) == {}, "of few records, nothing follows"


def test_no_failure_at_all_may_be_allowed_and_every_one() -> None:
    assert found(Chunk({"coded": 9_999, "failed": 1}), max_failed_ratio=0.0).keys() == {"refusals"}
    assert found(Chunk({"coded": 1, "failed": 1}), max_failed_ratio=0.0).keys() == {"refusals"}
    assert found(Chunk({"rejected": 10}), max_failed_ratio=1.0, latest=Outcomes(10, 10)) == {}


def test_records_that_wait_without_a_reason_are_red() -> None:
    assert found(Chunk({"coded": 8, "pending": 1, "sending": 1})) == {
        "waiting": "2 records are still waiting although nothing was in their way."
    }


@pytest.mark.parametrize("stop", ["quota", "time", "outage"])
def test_a_stop_excuses_what_its_own_chunk_left_and_no_other(stop: str) -> None:
    left = Chunk({"coded": 8, "pending": 2})
    assert found(left, stopped={"0": stop}) == {}
    assert found(left, left, stopped={"0": stop, "1": None}).keys() == {"waiting"}


def test_records_that_were_put_off_or_wait_with_their_campaign_are_green() -> None:
    assert found(Chunk({"coded": 1, "pending": 5}, deferred=2, suspended=3)) == {}
    assert found(Chunk({"coded": 1, "pending": 6}, deferred=2, suspended=3)).keys() == {"waiting"}


def test_records_that_are_nowhere_are_red() -> None:
    assert found(Chunk({"coded": 5}, missing=5)) == {
        "missing": "5 records that this run took up are no longer in the ledger: somebody deleted them, or restored an"
        " older state."
    }


def test_a_stage_that_did_not_finish_is_red() -> None:
    assert found(staged=False) == {
        "stage": "stage did not finish: see its log. What it had written is in the ledger, the next run takes it up."
    }


def test_codify_tasks_that_did_not_finish_are_red_beside_what_they_left() -> None:
    assert found(Chunk({"coded": 5, "pending": 5}), Chunk({"coded": 9}), stopped={"1": None}) == {
        "tasks": "1 codify task(s) did not finish: see their logs. The next run takes up their rest.",
        "waiting": "5 records are still waiting although nothing was in their way.",
    }


def test_the_run_that_meets_an_outage_says_so_first() -> None:
    assert list(found(staged=False, outage="No answer.")) == ["outage", "stage"]


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


@pytest.mark.parametrize(
    ("waiting", "hours", "left_today", "daily", "left"),
    [
        (10_000, 1, None, None, 2_800),  # two requests a second
        (7_000, 1, None, None, 0),
        (10_000, 1, 500, 1_000, 9_500),  # the day's requests are fewer
        (10_000, 20, 500, 1_000, 8_500),  # a new day begins at 5:00, before calling hours
        (10_000, 44, 500, 1_000, 7_500),
        (10_000, 20, 500, None, 9_500),
    ],
)
def test_what_will_be_left_when_calling_hours_begin(
    waiting: int, hours: int, left_today: int | None, daily: int | None, left: int
) -> None:
    opening = NOW + timedelta(hours=hours)
    params: dict[str, Any] = {"left_today": left_today, "daily": daily, "now": NOW, "resets_at": MIDNIGHT}
    assert left_at(opening, waiting, seconds_per_request=1.0, slots=2, **params) == left
