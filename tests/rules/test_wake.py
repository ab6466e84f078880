"""When the trigger says that there is work: as often as it helps, and seldom where it doesn't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from wolkvox.rules.schedule import Schedule
from wolkvox.rules.wake import Event, Fingerprint, Watch, event, is_unwatched, pause

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
SINCE = NOON - timedelta(days=1)
SECOND = timedelta(seconds=1)
OLD = Fingerprint(SINCE, 10, "2026-03-02T11:00:00+00:00")
NEW = Fingerprint(SINCE, 11, "2026-03-02T11:59:00+00:00")
NEWER = Fingerprint(SINCE, 12, "2026-03-02T11:59:30+00:00")

# Staged five minutes ago, nothing since.
QUIET = Watch(
    NOON,
    Schedule("*/15 * * * *", "America/Bogota", 5.0),
    stage_began_at=NOON - timedelta(minutes=5),
    staged_at=NOON - timedelta(minutes=5),
    staged=OLD,
)


def saw(fingerprint: Fingerprint, chunks: int = 0) -> str:
    """What an event says that it saw."""
    found = event(replace(QUIET, event_at=None), fingerprint, chunks)
    assert found is not None
    return found.saw


def sent(watch: Watch, ago: float, fingerprint: Fingerprint = NEW, chunks: int = 0, repeats: int = 0) -> Watch:
    """The watch after an event so many seconds ago."""
    at = watch.now - ago * SECOND
    return replace(watch, event_at=at, event_saw=saw(fingerprint, chunks), repeats=repeats)


def staged(watch: Watch, ago: float, fingerprint: Fingerprint, *, fruitful: bool) -> Watch:
    """The watch after a stage that began, and finished, so many seconds ago."""
    at = watch.now - ago * SECOND
    return replace(watch, stage_began_at=at, staged_at=at, staged=fingerprint, fruitful=fruitful)


def fires_after(watch: Watch, fingerprint: Fingerprint | None, chunks: int = 0) -> float:
    """Seconds from the last event until the next one."""
    assert watch.event_at is not None
    for seconds in range(0, 2_000):
        if event(replace(watch, now=watch.event_at + seconds * SECOND), fingerprint, chunks):
            return seconds
    return float("inf")


def test_nothing_new_is_no_event() -> None:
    assert event(QUIET, OLD, 0) is None
    assert event(QUIET, None, 0) is None


def test_a_row_more_is_an_event_at_once() -> None:
    assert event(QUIET, NEW, 0) == Event("11 rows, newest 2026-03-02T11:59:00+00:00; nothing to send", 0)


def test_a_row_less_or_a_newer_moment_of_as_many_rows_is_an_event_too() -> None:
    assert event(QUIET, replace(OLD, rows=9), 0) is not None
    assert event(QUIET, replace(OLD, newest=NEW.newest), 0) is not None


def test_a_record_that_may_be_sent_is_an_event_whatever_the_warehouse_says() -> None:
    assert event(QUIET, OLD, 1) is not None
    assert event(QUIET, None, 2) == Event("rows not counted; records to send", 0)


def test_a_dag_that_never_staged_has_work() -> None:
    assert event(Watch(NOON), None, 0) == Event("rows not counted; nothing to send", 0)


def test_a_stage_that_is_under_way_takes_up_what_comes() -> None:
    under_way = replace(QUIET, stage_began_at=NOON - 10 * SECOND)
    assert event(under_way, NEW, 0) is None
    assert event(replace(under_way, staged_at=None), NEW, 0) is None
    assert event(under_way, OLD, 1) is None


def test_a_stage_that_died_holds_nothing_up_for_long() -> None:
    dead = replace(QUIET, stage_began_at=NOON - timedelta(minutes=2))
    assert event(dead, NEW, 0) is not None


def test_an_event_that_is_not_answered_is_repeated_and_more_and_more_seldom() -> None:
    distances = [fires_after(sent(QUIET, 1, repeats=repeats), NEW) for repeats in range(7)]
    assert distances == [60, 120, 240, 480, 900, 900, 900]


def test_what_comes_on_top_of_an_unanswered_event_waits_for_its_run() -> None:
    assert fires_after(sent(QUIET, 1, NEW), NEWER) == 60


def test_after_a_stage_that_brought_something_the_next_event_may_follow_in_five_seconds() -> None:
    watch = staged(sent(QUIET, 30, NEW, repeats=3), 20, NEW, fruitful=True)
    assert event(watch, NEWER, 0) == Event(saw(NEWER), 0)
    assert fires_after(replace(staged(sent(QUIET, 3, NEW), 2, NEW, fruitful=True)), NEWER) == 5


def test_a_backlog_begins_a_run_as_soon_as_the_last_ones_workers_are_done() -> None:
    watch = staged(sent(QUIET, 60, OLD, 1), 55, OLD, fruitful=True)
    assert event(watch, OLD, 1) is not None


def test_records_that_no_stage_takes_up_are_told_of_more_and_more_seldom() -> None:
    """As where the day's requests are used up, or a campaign's records all wait."""

    def watch(repeats: int) -> Watch:
        return staged(sent(QUIET, 4, OLD, 1, repeats), 2, OLD, fruitful=False)

    assert [fires_after(watch(repeats), OLD, 1) for repeats in range(6)] == [60, 120, 240, 480, 900, 900]


def test_rows_that_bring_no_contact_are_told_of_once_a_minute_at_most() -> None:
    """As where the query gives other rows each time."""

    def watch(repeats: int) -> Watch:
        return staged(sent(QUIET, 4, NEW, 0, repeats), 2, NEW, fruitful=False)

    assert [fires_after(watch(repeats), NEWER) for repeats in range(6)] == [5, 10, 20, 40, 60, 60]


def test_a_query_that_was_changed_is_staged_once() -> None:
    changed = replace(NEW, rows=3)
    assert event(QUIET, changed, 0) is not None
    assert event(staged(sent(QUIET, 60, changed), 50, changed, fruitful=False), changed, 0) is None


def test_a_ledger_whose_stage_could_not_count_goes_by_what_may_be_sent() -> None:
    blind = replace(QUIET, staged=None)
    assert event(blind, None, 0) is None
    assert event(blind, None, 1) is not None


def simulate(hours: float, found: Callable[[float], Fingerprint], *, stages: bool, fruitful: bool) -> int:
    """Events of a trigger that polls every five seconds; a stage begins four seconds after each and takes three."""
    watch, events, begins = QUIET, 0, float("inf")
    for second in range(int(hours * 3_600)):
        watch = replace(watch, now=NOON + second * SECOND)
        if second == begins:
            watch = replace(watch, stage_began_at=watch.now)
        if second == begins + 3:
            at, count = watch.stage_began_at, found(begins)
            watch = replace(watch, staged_at=at, staged=count, fruitful=fruitful)
        told = event(watch, found(second), 0) if second % 5 == 0 else None
        if told:
            events += 1
            watch = replace(watch, event_at=watch.now, event_saw=told.saw, repeats=told.repeats)
            begins = second + 4.0 if stages else begins
    return events


def test_an_hour_without_work_is_an_hour_without_events() -> None:
    assert simulate(1, lambda _: OLD, stages=True, fruitful=False) == 0


def test_an_hour_of_a_dag_that_does_not_stage_is_seven_events() -> None:
    assert simulate(1, lambda _: NEW, stages=False, fruitful=False) == 7


def test_an_hour_of_a_query_that_never_gives_the_same_is_an_event_a_minute() -> None:
    def restless(second: float) -> Fingerprint:
        return Fingerprint(SINCE, int(second), None)

    assert simulate(1, restless, stages=True, fruitful=False) <= 65


def test_a_contact_every_five_seconds_brings_an_event_every_ten_at_most() -> None:
    def trickle(second: float) -> Fingerprint:
        return Fingerprint(SINCE, int(second / 5), None)

    assert 30 <= simulate(0.1, trickle, stages=True, fruitful=True) <= 40


# How long the trigger waits between two polls


def test_a_poll_follows_another_as_the_operation_says() -> None:
    assert pause(QUIET, 5.0, 0.01) == 5.0
    assert pause(QUIET, 60.0, 0.01) == 60.0


def test_polls_take_a_twentieth_of_the_time_at_most() -> None:
    assert pause(QUIET, 5.0, 2.0) == 40.0


@pytest.mark.parametrize("wake", [1.0, 5.0, 30.0])
def test_a_dag_that_has_not_staged_for_long_is_polled_once_a_minute(wake: float) -> None:
    gone = replace(QUIET, stage_began_at=NOON - timedelta(hours=1))
    assert pause(gone, wake, 0.01) == 60.0
    assert pause(replace(gone, stage_began_at=NOON - timedelta(minutes=20)), wake, 0.01) == wake


def test_a_dag_whose_cron_is_at_rest_is_polled_as_ever() -> None:
    resting = replace(QUIET, schedule=Schedule("0 5 * * *", "UTC", 5.0), stage_began_at=NOON - timedelta(hours=7))
    assert pause(resting, 5.0, 0.01) == 5.0


def test_people_are_told_when_nobody_has_polled_for_five_minutes() -> None:
    assert not is_unwatched(5.0, NOON - timedelta(minutes=5), NOON)
    assert is_unwatched(5.0, NOON - timedelta(minutes=5, seconds=1), NOON)
    assert is_unwatched(5.0, None, NOON)


def test_a_trigger_that_polls_seldom_is_given_its_time() -> None:
    assert not is_unwatched(600.0, NOON - timedelta(minutes=30), NOON)
    assert is_unwatched(600.0, NOON - timedelta(minutes=31), NOON)


def test_nobody_is_missed_where_no_trigger_is_wanted() -> None:
    assert not is_unwatched(None, None, NOON)
