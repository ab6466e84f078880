"""
When a DAG's trigger says that there is work. Pure.

The rule looks at the level, not at an edge: while there is work, the event is repeated. So an event that is lost,
doubled or late costs nothing, and neither does a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wolkvox.rules.schedule import Schedule, is_overdue

FIRST_DISTANCE = timedelta(seconds=5)  # between two events of which the second one saw something else
REPEAT_DISTANCE = timedelta(seconds=60)  # between two events of which the first one brought nothing
LONGEST_DISTANCE = timedelta(minutes=15)  # that doubles up to here
STAGING = timedelta(minutes=2)  # that a `stage` which is dead or starts again holds events back
QUIET = 60.0  # seconds between two polls of a DAG that doesn't stage, as a paused one
SHARE = 20  # times its own length a poll is waited for: polls take 5 % of the time at most
POLL_NOTED_EVERY = timedelta(minutes=1)  # where it brings no event
UNWATCHED = timedelta(minutes=5)  # without a poll that worked before an alert fires


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """
    What the warehouse's query gives from ``since`` on: how many rows, and the newest ``contacted_at`` as a text.

    The lower bound stays where it is until the next ``stage``: one that moved would change the count as rows leave it.
    """

    since: datetime
    rows: int
    newest: str | None


@dataclass(frozen=True, slots=True)
class Watch:
    """
    The ledger's record of a DAG's trigger and stages, at the ledger's time ``now``.

    ``staged_at``: when the last ``stage`` that finished took its fingerprint ``staged`` (None: it has none);
    ``fruitful``: it brought records in or took some up. ``stage_lives``: a stage is at work. ``repeats``: events in a
    row that brought nothing.
    """

    now: datetime
    schedule: Schedule = field(default_factory=Schedule)
    stage_began_at: datetime | None = None
    stage_lives: bool = False
    staged_at: datetime | None = None
    staged: Fingerprint | None = None
    fruitful: bool = False
    polled_at: datetime | None = None
    event_at: datetime | None = None
    event_saw: str | None = None
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """That there is work: what was seen, and how many events before it brought nothing."""

    saw: str
    repeats: int


def event(watch: Watch, rows_now: Fingerprint | None, chunks: int) -> Event | None:
    """
    Return the event to send now, if any.

    :param rows_now: the fingerprint of the warehouse now, None when nobody asked it
    :param chunks: how many chunks a ``stage`` would make of what the ledger holds
    """
    if not _has_work(watch, rows_now, chunks) or _is_staging(watch):
        return None
    saw = _saw(rows_now, chunks)
    if watch.event_at is None:
        return Event(saw, 0)
    answered = watch.staged_at is not None and watch.staged_at >= watch.event_at
    repeats = 0 if answered and watch.fruitful else watch.repeats + 1
    is_news = answered and saw != watch.event_saw
    due = watch.event_at + _distance(repeats, is_news=is_news)
    return Event(saw, repeats) if watch.now >= due else None


def _has_work(watch: Watch, rows_now: Fingerprint | None, chunks: int) -> bool:
    return watch.staged_at is None or chunks > 0 or (rows_now is not None and rows_now != watch.staged)


def _is_staging(watch: Watch) -> bool:
    """
    Whether a ``stage`` is under way: it takes up what comes before its pull, and the next poll sees the rest.

    However long it takes: a second one would pull the same, and slow it down.
    """
    began, done = watch.stage_began_at, watch.staged_at
    if began is None or (done is not None and done >= began):
        return False
    return watch.stage_lives or watch.now - began < STAGING


def _saw(rows_now: Fingerprint | None, chunks: int) -> str:
    rows = "rows not counted" if rows_now is None else f"{rows_now.rows} rows, newest {rows_now.newest}"
    return f"{rows}; {'records' if chunks else 'nothing'} to send"


def _distance(repeats: int, *, is_news: bool) -> timedelta:
    """
    Return the least distance from the last event: short where that one brought something, else doubled each time.

    It is shorter where the poll saw something else than the last event did: that may be a contact, or rows that change
    nothing.
    """
    if repeats == 0:
        return FIRST_DISTANCE
    first, longest = (FIRST_DISTANCE, REPEAT_DISTANCE) if is_news else (REPEAT_DISTANCE, LONGEST_DISTANCE)
    return min(longest, first * (1 << min(repeats - 1, 10)))


def pause(watch: Watch, wake: float, took: float) -> float:
    """
    Return the seconds until the next poll.

    :param wake: seconds that the operation asks for
    :param took: seconds that this poll took
    """
    last = watch.stage_began_at
    quiet = last is not None and is_overdue(watch.schedule, last, watch.now)
    return max(wake, took * SHARE, QUIET if quiet else 0.0)


def is_unwatched(wake: float | None, polled_at: datetime | None, now: datetime) -> bool:
    """Whether a trigger should poll and none has for long: the cron alone begins runs then."""
    if wake is None:
        return False
    return polled_at is None or now - polled_at > max(UNWATCHED, timedelta(seconds=3 * wake))
