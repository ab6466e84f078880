"""What people are told of, and in which words."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from wolkvox.rules.conditions import Thresholds, conditions, silence

NOW = datetime(2026, 3, 2, 15, tzinfo=timezone.utc)
GOOD: dict[str, Any] = {
    "complaints": {},
    "outage": None,
    "parked": [],
    "failed_ratio": 0.01,
    "rejected": 1,
    "failed": 0,
    "waiting": 5,
    "oldest_waiting": "2026-03-02T10:00:00+00:00",
    "quota_limit": 1_000,
    "quota_calls": 899,
    "quota_resets_at": "2026-03-03T05:00:00+00:00",
    "silence": None,
    "stopped": None,
}
OUTAGE = {"reason": "overloaded_503", "words": "10 calls in a row met an outage.", "since": "2026-03-02T14:00:00+00:00"}
PARKED = {"campaign": "preview 17", "reason": "not_found", "words": "404 NO", "since": "2026-03-02T14:30:00+00:00"}


def found(**changes: Any) -> dict[str, str]:
    return conditions({**GOOD, **changes}, Thresholds(), NOW, "America/Bogota")


def test_of_a_good_run_nobody_is_told() -> None:
    assert found() == {}
    assert found(oldest_waiting=None, waiting=0, quota_limit=None) == {}
    assert found(opening="2026-03-03T12:00:00+00:00", opened=False, left_at_opening=0) == {}


@pytest.mark.parametrize(
    ("changes", "name", "said"),
    [
        (
            {"failed_ratio": 0.021, "rejected": 21},
            "refusals",
            "2.1% of the records were refused or failed (21 rejected, 0 failed); 2.0% is the threshold.",
        ),
        (
            {"oldest_waiting": "2026-03-01T14:00:00+00:00"},
            "backlog_age",
            "The oldest of 5 waiting contacts is of 2026-03-01 09:00 America/Bogota: more than 24 hours ago.",
        ),
        (
            {"opening": "2026-03-03T12:00:00+00:00", "opened": False, "left_at_opening": 3},
            "opening",
            "Calling hours begin at 2026-03-03 07:00 America/Bogota, and 3 of 5 waiting contacts won't be codified by"
            " then, at this pace and with the calls that are left: they may be dialled.",
        ),
        (
            {"opening": "2026-03-02T12:00:00+00:00", "opened": True, "left_at_opening": 2},
            "opening",
            "Calling hours began at 2026-03-02 07:00 America/Bogota, and 2 contacts from before still wait: they may be"
            " dialled.",
        ),
        (
            {"new": 0, "invalid": 40},
            "invalid",
            "40 rows can't be sent, where 40 came in; 2.0% is the threshold. The ledger says why (state invalid,"
            " column reason).",
        ),
        (
            {"quota_calls": 900},
            "quota",
            "900 of today's 1000 calls are used; a new day begins at 2026-03-03 00:00 America/Bogota.",
        ),
        (
            {"outage": OUTAGE},
            "outage",
            "Nothing can be sent since 2026-03-02 09:00 America/Bogota: 10 calls in a row met an outage.",
        ),
        (
            {"parked": [PARKED]},
            "parked:preview 17",
            "Campaign preview 17 refuses everything since 2026-03-02 09:30 America/Bogota (404 NO): it is parked and"
            " tried now and then, its records wait. Check its id and type in wolkvox Manager.",
        ),
        ({"silence": "Nothing came in."}, "silence", "Nothing came in."),
        ({"complaints": {"missing": "7 are missing."}}, "red:missing", "7 are missing."),
    ],
)
def test_each_condition_has_a_name_and_a_sentence(changes: dict[str, Any], name: str, said: str) -> None:
    assert found(**changes) == {name: said}


def test_one_refusal_alone_is_no_condition() -> None:
    assert found(failed_ratio=0.5, rejected=1) == {}


def test_an_outage_explains_the_tasks_that_it_ended() -> None:
    red = {"outage": "x", "stage": "x", "tasks": "x", "waiting": "x", "missing": "1 is missing."}
    assert found(outage=OUTAGE, complaints=red).keys() == {"red:missing", "outage"}
    assert found(outage=None, complaints={"tasks": "One did not finish."}) == {"red:tasks": "One did not finish."}


def test_what_waits_for_the_end_of_an_outage_is_no_news() -> None:
    assert found(oldest_waiting="2026-02-01T14:00:00+00:00", stopped="outage") == {}
    assert found(oldest_waiting="2026-02-01T14:00:00+00:00", stopped="time").keys() == {"backlog_age"}


def test_too_many_refusals_are_told_of_once() -> None:
    assert found(failed_ratio=0.5, rejected=10, complaints={"refusals": "10 refused."}) == {
        "red:refusals": "10 refused."
    }


HOURS = timedelta(hours=1)


def test_a_source_that_says_nothing_for_longer_than_is_usual_has_fallen_silent() -> None:
    assert silence(NOW - 3.1 * HOURS, [0.5 * HOURS, HOURS], NOW) == (
        "No new contact came in for 3 hours, where 60 minutes is the longest gap that was seen at this hour and"
        " weekday: check what fills contacted_customers."
    )


@pytest.mark.parametrize(
    ("newest", "usual"),
    [
        (NOW - 2.9 * HOURS, [0.5 * HOURS, HOURS]),
        (NOW - 9 * HOURS, [10 * HOURS, 8 * HOURS]),  # a Monday morning
        (NOW - 9 * HOURS, [HOURS]),  # one week is no habit
        (None, []),
    ],
)
def test_an_hour_that_is_usually_quiet_is_no_silence(newest: datetime | None, usual: list[timedelta]) -> None:
    assert silence(newest, usual, NOW) is None
