"""The page's first line: whether contacts come in and go out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from wolkvox.page.alive import HealthSigns, alive
from wolkvox.page.dictionary import LANGUAGES, dictionary
from wolkvox.page.queries import Polls, Run
from wolkvox.rules.schedule import Schedule

NOW = datetime(2026, 3, 2, 10, 41, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
QUARTERS = Schedule("*/15 * * * *", "America/Bogota", 5.0)


def run(ended: float, took: float = 1) -> Run:
    """A run that ended so many minutes ago."""
    return Run("wolkvox_codify", "run", NOW - (ended + took) * MINUTE, NOW - ended * MINUTE, "success", {})


def wrong(
    runs: Sequence[Run],
    schedule: Schedule = QUARTERS,
    polled: float | None = 0,
    *,
    paused: bool = False,
    uncounted_since: datetime | None = None,
) -> list[str]:
    polls = Polls(schedule, None if polled is None else NOW - polled * MINUTE, uncounted_since)
    signs = HealthSigns(
        "wolkvox_codify", paused, runs, NOW, None, polls, outage=False, suspended=0, left=None, waiting=0
    )
    found: list[str] = alive(signs, NOW)["problems"]
    return found


def test_a_run_of_late_and_a_trigger_that_polls_are_well() -> None:
    assert wrong([run(5), run(20)]) == []


def test_a_quiet_quarter_of_an_hour_after_many_events_is_not_late() -> None:
    """A minute lies between two of these runs: three times that is no measure of the next one."""
    assert wrong([run(24 + number) for number in range(10)]) == []


def test_runs_that_stay_away_from_their_dates_are_late_however_many_events_there_were() -> None:
    assert wrong([run(27 + number) for number in range(10)]) == ["late"]


def test_a_dag_without_a_cron_is_judged_by_its_runs() -> None:
    hourly = [run(60 * number) for number in range(1, 5)]
    assert wrong(hourly, Schedule()) == []
    assert wrong([run(181 + 60 * number) for number in range(1, 5)], Schedule()) == ["late"]


@pytest.mark.parametrize("polled", [None, 5.1, 600])
def test_a_trigger_that_does_not_poll_is_told_of(polled: float | None) -> None:
    assert wrong([run(5)], QUARTERS, polled) == ["unwatched"]


def test_nobody_misses_a_trigger_that_is_off_or_whose_dag_is_paused() -> None:
    assert wrong([run(5)], Schedule("*/15 * * * *", "UTC", None), None) == []
    assert wrong([run(5)], QUARTERS, 600, paused=True) == ["paused"]


def test_a_warehouse_that_nobody_can_count_is_told_of() -> None:
    assert wrong([run(5)], uncounted_since=NOW - 5 * MINUTE) == ["uncounted"]


def test_nobody_misses_the_count_while_the_dag_is_paused() -> None:
    assert wrong([run(5)], uncounted_since=NOW - 5 * MINUTE, paused=True) == ["paused"]


def test_each_problem_has_a_sentence_in_both_languages() -> None:
    everything = HealthSigns(
        "wolkvox_codify", None, [run(600)], NOW, "", Polls(QUARTERS, None, NOW), True, 1, 0, 1, undelivered=NOW
    )
    failed = replace(everything, runs=[run(5)._replace(state="failed")], outage=False, paused=True)
    named = {
        name for signs in (everything, failed, replace(everything, runs=[])) for name in alive(signs, NOW)["problems"]
    }
    assert len(named) == 11
    for language in LANGUAGES:
        for name in named:
            assert dictionary(language)(f"health.{name}").endswith(".")
