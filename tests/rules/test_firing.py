"""Days of an operation, run by run, through the product's rules: people are told seldom, and are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import pytest

from wolkvox.rules.alerts import Thresholds, alerts
from wolkvox.rules.firing import Alert, NoticeKind, Notified, due, fire, rest
from wolkvox.rules.shares import FEWEST, LONGEST_WINDOW, WINDOW, Arrivals, Latest, Outcomes
from wolkvox.rules.verdict import complaints

BEGIN = datetime(2026, 3, 2, tzinfo=timezone.utc)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
QUIET: dict[str, Any] = {
    "outage": None,
    "suspended": [],
    "waiting": 0,
    "oldest_waiting": None,
    "quota_limit": None,
    "quota_requests": 0,
    "quota_resets_at": "2026-03-03T05:00:00+00:00",
    "silence": None,
    "stopped": None,
}


def every_minute(random: Random) -> Iterator[timedelta]:
    """A run a minute."""
    while True:
        yield MINUTE


def by_event(random: Random) -> Iterator[timedelta]:
    """Runs that begin when there is work: seconds after each other, and sometimes half an hour."""
    while True:
        yield timedelta(seconds=random.choice((8, 12, 40, 90, 300, 1_800)))


@dataclass
class Operation:
    """An operation of which so many contacts a minute come in, and of them these shares go wrong."""

    contacts: float
    refused: Callable[[datetime], float]
    invalid: float = 0.0
    random: Random = field(default_factory=lambda: Random(7))
    now: datetime = BEGIN
    sent: list[tuple[datetime, int, int]] = field(default_factory=list)  # when, how many, how many went wrong
    came: list[tuple[datetime, int, int]] = field(default_factory=list)
    known: dict[str, Alert] = field(default_factory=dict)
    notified: dict[str, Notified] = field(default_factory=dict)
    told: list[tuple[datetime, str, NoticeKind]] = field(default_factory=list)
    red: list[datetime] = field(default_factory=list)

    def live(self, days: int, runs: Callable[[Random], Iterator[timedelta]]) -> None:
        """So many days, run by run."""
        for distance in runs(self.random):
            self.now += distance
            if self.now - BEGIN > days * DAY:
                return
            self._run(distance)

    def messages_a_day(self) -> dict[str, int]:
        """The most messages of an alert in any 24 hours, by alert."""
        most: Counter[str] = Counter()
        for at, name, _ in self.told:
            within = sum(one == name and at <= moment < at + DAY for moment, one, _ in self.told)
            most[name] = max(most[name], within)
        return dict(most)

    def _run(self, distance: timedelta) -> None:
        expected = self.contacts * (distance / MINUTE)
        came = int(expected) + (self.random.random() < expected % 1)
        invalid = sum(self.random.random() < self.invalid for _ in range(came))
        sent, share = came - invalid, self.refused(self.now)
        rejected = sum(self.random.random() < share for _ in range(sent))
        self.came.append((self.now, came, invalid))
        self.sent.append((self.now, sent, rejected))
        states = {"coded": sent - rejected, "rejected": rejected}
        latest = self._latest()
        red = complaints(
            staged=True, states=states, accounts={}, stopped={}, max_failed_ratio=0.05, latest=latest.outcomes
        )
        if red:
            self.red.append(self.now)
        firing = [name for name, alert in self.known.items() if alert.resolved_at is None]
        current = alerts({**QUIET, "complaints": red}, latest, Thresholds(), firing, self.now, "UTC")
        for name in {*self.known, *current}:
            known = self.known.get(name)
            if name in current:
                self.known[name] = fire(known, name, current[name], self.now)
            elif known:
                self.known[name] = rest(known, self.now)
        for kind, alert in due(self.known.values(), self.notified, self.now):
            self.told.append((self.now, alert.name, kind))
            self.notified[alert.name] = Notified(alert.firing_since, alert.resolved_at is not None, self.now)

    def _latest(self) -> Latest:
        sent, rejected = self._judged(self.sent)
        came, invalid = self._judged(self.came)
        return Latest(Outcomes(sent, rejected=rejected, since=self.now), Arrivals(came, invalid, self.now))

    def _judged(self, runs: list[tuple[datetime, int, int]]) -> tuple[int, int]:
        """The records of the last hour, or the latest ones of a day; and how many of them went wrong."""
        total = wrong = 0
        for at, records, bad in reversed(runs):
            age = self.now - at
            if age >= LONGEST_WINDOW or (age >= WINDOW and total >= FEWEST):
                break
            total, wrong = total + records, wrong + bad
        return total, wrong


def always(share: float) -> Callable[[datetime], float]:
    return lambda now: share


ROWS = [(20, 0.05, 0), (20, 0.03, 0), (20, 0.02, 0), (100, 0.02, 0), (20, 0, 0.01), (20, 0, 0.002), (5, 0, 0.01)]
SMALL = [(1, 0.02, 0), (0.5, 0.05, 0), (0.1, 0.03, 0.03), (0.02, 0.2, 0.1), (0.01, 0.5, 0)]


@pytest.mark.parametrize("runs", [every_minute, by_event])
@pytest.mark.parametrize(("contacts", "refused", "invalid"), [*ROWS, *SMALL])
def test_no_alert_is_told_more_than_four_times_a_day(
    contacts: float, refused: float, invalid: float, runs: Callable[[Random], Iterator[timedelta]]
) -> None:
    operation = Operation(contacts, always(refused), invalid)
    operation.live(3, runs)
    print(f"{contacts} a minute, {refused:.1%}, {invalid:.1%}: {operation.messages_a_day()}, {len(operation.red)} red")
    assert max(operation.messages_a_day().values(), default=0) <= 4


@pytest.mark.parametrize("hours", [1, 2, 3, 5, 8])
def test_a_fault_that_comes_and_goes_is_told_seldom(hours: int) -> None:
    """Ten minutes of every so many hours, half of all is refused."""

    def bursts(now: datetime) -> float:
        return 0.5 if (now - BEGIN) % timedelta(hours=hours) < 10 * MINUTE else 0.0

    operation = Operation(20, bursts)
    operation.live(4, every_minute)
    assert max(operation.messages_a_day().values()) <= 4
    assert operation.told[0][0] - BEGIN < 5 * MINUTE, "and at once"


@pytest.mark.parametrize(("contacts", "refused"), [(20, 0.05), (20, 0.08), (100, 0.06), (1, 0.3)])
def test_what_lasts_is_told_within_the_hour_and_seldom(contacts: float, refused: float) -> None:
    operation = Operation(contacts, always(refused))
    operation.live(2, every_minute)
    assert operation.told[0][0] - BEGIN < timedelta(hours=1)
    assert max(operation.messages_a_day().values()) <= 3


@pytest.mark.parametrize(("contacts", "refused", "invalid"), [(20, 0.01, 0), (20, 0.005, 0.002), (100, 0.01, 0.01)])
def test_what_is_usual_is_told_to_nobody(contacts: float, refused: float, invalid: float) -> None:
    operation = Operation(contacts, always(refused), invalid)
    operation.live(2, every_minute)
    assert (operation.told, operation.red) == ([], [])


@pytest.mark.parametrize("contacts", [0.01, 0.005, 0.002])
def test_a_small_operation_whose_every_record_is_refused_is_red_within_a_day(contacts: float) -> None:
    """Fourteen, seven, three contacts a day."""
    operation = Operation(contacts, lambda now: 1.0 if now - BEGIN > 2 * DAY else 0.0)
    operation.live(4, by_event)
    first = next(moment for moment, _, rejected in operation.sent if rejected)
    assert operation.red
    assert operation.red[0] - max(first, BEGIN + 2 * DAY) < 1.5 * DAY


def test_two_refusals_of_twenty_make_no_run_red() -> None:
    operation = Operation(20, always(0.0))
    operation.sent.append((BEGIN, 20, 2))
    operation.live(1, every_minute)
    assert operation.red == []


def test_after_it_is_mended_it_resolves() -> None:
    operation = Operation(20, lambda now: 0.2 if now - BEGIN < timedelta(hours=2) else 0.0)
    operation.live(1, every_minute)
    resolved = {name: moment for moment, name, kind in operation.told if kind is NoticeKind.RESOLVED}
    assert resolved.keys() == {"red:refusals"} | ({"refusals"} & resolved.keys())
    assert max(resolved.values()) - BEGIN < timedelta(hours=2 + 3)
