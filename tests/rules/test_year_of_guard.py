"""A year of uneven but ordinary days, run by run, through the guard's rules: nothing usual is held, accidents are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from math import exp, sqrt
from random import Random

import pytest

from wolkvox.rules.guard import (
    Campaign,
    CampaignIntake,
    Details,
    Expectation,
    Guard,
    History,
    Intake,
    Reason,
    judge,
    usual,
)

BEGIN = datetime(2026, 1, 5, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH = 28 * DAY
WEEKDAYS = (1.6, 1.1, 1.0, 1.0, 1.2, 0.4, 0.1)
HOURS = (0, 0, 0, 0, 0, 0, 0.1, 0.5, 1.2, 1.6, 1.5, 1.3, 0.8, 0.7, 1.2, 1.4, 1.3, 1.0, 0.6, 0.3, 0.1, 0, 0, 0)
ROUND_THE_CLOCK = (0.5,) * 7 + (1.0,) * 13 + (0.7,) * 4
AT_NIGHT = (0.0, 0.0, 24.0) + (0.0,) * 21


def every_ten_minutes(random: Random) -> Iterator[timedelta]:
    """A run every ten minutes."""
    while True:
        yield 10 * MINUTE


def by_event(random: Random) -> Iterator[timedelta]:
    """Runs that begin when there is work: seconds after each other, and sometimes half an hour."""
    while True:
        yield timedelta(seconds=random.choice((12, 40, 90, 300, 1_800)))


@dataclass
class Year:
    """
    An operation with so many contacts an hour, on average of a usual day's busy hours.

    Some days are busier than others without a cause; Mondays and ends of months have more, holidays next to none and
    the days after them more; a campaign begins every two weeks, with a list that came before it; the source is late
    now and then, and Airflow is away for some hours of a month.
    """

    contacts: float
    hours: tuple[float, ...] = HOURS
    random: Random = field(default_factory=lambda: Random(7))
    guard: Guard = field(default_factory=Guard)
    now: datetime = BEGIN
    staged_at: datetime = BEGIN
    runs: int = 0
    held: list[tuple[datetime, list[Reason]]] = field(default_factory=list)
    came: Counter[datetime] = field(default_factory=Counter)
    of_campaigns: dict[datetime, Counter[Campaign]] = field(default_factory=lambda: defaultdict(Counter))
    pulled: list[tuple[datetime, int, dict[Campaign, int]]] = field(default_factory=list)  # within the last hour
    owed: float = 0.0  # what a late source has not given yet
    asked: tuple[tuple[datetime, int] | None, Expectation | None] = (None, None)

    def __post_init__(self) -> None:
        self.days = {day: exp(self.random.gauss(0.0, 0.25)) for day in range(380)}
        self.holidays = set(self.random.sample(range(380), 18))
        self.late = {day: self.random.uniform(0.5, 2.5) for day in self.random.sample(range(380), 24)}
        self.away = {day: self.random.uniform(1, 10) for day in self.random.sample(range(380), 12)}

    def live(self, days: int, runs: Callable[[Random], Iterator[timedelta]]) -> None:
        """So many days, run by run."""
        for distance in runs(self.random):
            before, self.now = self.now, self.now + distance
            if self.now - BEGIN > days * DAY:
                return
            self.owed += self._expected(before, distance)
            if not self._is_late() and not self._is_away():
                self._run()

    def judged(self, intake: Mapping[Campaign, CampaignIntake]) -> list[Reason]:
        """What the guard says of these contacts now, as the task asks it."""
        found = Intake(list(intake.values()), sum(records for _, records, _ in self.pulled))
        if max(found.hour, found.rows) < self.guard.least:
            return []
        expectation = self._usual()
        if not judge(found, expectation, self.guard, Details()):
            return []
        return judge(found, expectation, self.guard, self._details())

    def _usual(self) -> Expectation | None:
        """What is usual in this hour; asked for once where runs come as they should."""
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        key = (hour, (self.now - self.staged_at) // HOUR)
        if self.asked[0] != key:
            hours = {one: records for one, records in self.came.items() if self.now - one < MONTH and one < hour}
            self.asked = key, usual(History(hours, BEGIN, self.staged_at), self.now)
        return self.asked[1]

    def ordinary(self) -> dict[Campaign, CampaignIntake]:
        """What comes in with the next run."""
        found = {}
        for campaign, share in self._shares().items() if self.owed else ():
            records = poisson(self.owed * share, self.random)
            invalid = poisson(0.02 * records, self.random)
            changed = poisson(0.1 * records, self.random)
            found[campaign] = CampaignIntake(campaign, records, invalid, min(records, changed))
        return found

    def _run(self) -> None:
        self.runs += 1
        intake = self.ordinary()
        reasons = self.judged(intake)
        if reasons:
            self.held.append((self.now, reasons))
        stopped = {campaign for reason in reasons for campaign in reason.campaigns}
        came = {name: one.records for name, one in intake.items() if one.records and name not in stopped}
        hour, records = self.now.replace(minute=0, second=0, microsecond=0), sum(came.values())
        self.came[hour] += records
        self.of_campaigns[hour].update(came)
        self.pulled = [one for one in [*self.pulled, (self.now, records, came)] if self.now - one[0] < HOUR]
        self.owed, self.staged_at = 0.0, self.now

    def _details(self) -> Details:
        peaks: Counter[Campaign] = Counter()
        lately: Counter[Campaign] = Counter()
        for hour, campaigns in self.of_campaigns.items():
            if self.now - hour < MONTH:
                peaks |= campaigns
        for _, _, came in self.pulled:
            lately.update(came)
        return Details(peaks, lately, 0.02)

    def _day(self) -> int:
        return (self.now - BEGIN).days

    def _expected(self, since: datetime, length: timedelta) -> float:
        day = self._day()
        local = since - 5 * HOUR
        factor = WEEKDAYS[local.weekday()] * self.days[day]
        if (local + 2 * DAY).month != local.month:
            factor *= 2.0
        if day in self.holidays:
            factor *= 0.05
        elif day - 1 in self.holidays:
            factor *= 1.5
        start = 1.0
        if day % 14 == 7 and local.hour == 9:
            start = 1.5  # the list that the day's new campaign begins with
        return self.contacts * factor * start * self.hours[local.hour] * (length / HOUR)

    def _shares(self) -> dict[Campaign, float]:
        """Eight campaigns at a time; every two weeks the oldest ends and another one begins."""
        first = (self._day() + 7) // 14
        shares = {("preview", str(100 + first + n)): 0.05 + 0.04 * n for n in range(8)}
        whole = sum(shares.values())
        return {campaign: share / whole for campaign, share in shares.items()}

    def _is_late(self) -> bool:
        hours = self.late.get(self._day())
        return hours is not None and 14 * HOUR <= self._since_midnight() < (14 + hours) * HOUR

    def _is_away(self) -> bool:
        hours = self.away.get(self._day())
        return hours is not None and 8 * HOUR <= self._since_midnight() < (8 + hours) * HOUR

    def _since_midnight(self) -> timedelta:
        return self.now - self.now.replace(hour=0, minute=0, second=0, microsecond=0)


def poisson(mean: float, random: Random) -> int:
    """How many come where so many are expected."""
    if mean == 0:
        return 0
    if mean > 30:
        return max(0, round(random.gauss(mean, sqrt(mean))))
    left, count = random.random(), 0
    term = exp(-mean)
    while left > term and count < 200:
        left -= term
        count += 1
        term *= mean / count
    return count


OPERATIONS = [
    (5, HOURS, every_ten_minutes),
    (600, HOURS, every_ten_minutes),
    (1_000, ROUND_THE_CLOCK, every_ten_minutes),
    (20, AT_NIGHT, every_ten_minutes),
    (60, HOURS, by_event),
    (2_000, HOURS, by_event),
]


@pytest.mark.parametrize(("contacts", "hours", "runs"), OPERATIONS)
def test_a_year_of_ordinary_days_has_less_than_one_false_hold_in_1000_runs(
    contacts: float, hours: tuple[float, ...], runs: Callable[[Random], Iterator[timedelta]]
) -> None:
    year = Year(contacts, hours)
    year.live(365, runs)
    why = Counter(reason.name for _, reasons in year.held for reason in reasons)
    print(f"{contacts} an hour, {runs.__name__}: {len(year.held)} of {year.runs} runs held, {dict(why)}")
    assert len(year.held) < year.runs / 1_000


def times(intake: Mapping[Campaign, CampaignIntake], number: float, **more: float) -> dict[Campaign, CampaignIntake]:
    """So many times the records of each campaign; of these, other shares of something else."""
    found = {}
    for campaign, one in intake.items():
        records = round(one.records * number)
        found[campaign] = CampaignIntake(campaign, records, **{name: round(records * of) for name, of in more.items()})
    return found


def a_day(year: Year) -> dict[Campaign, CampaignIntake]:
    """What an ordinary day brings, at once."""
    whole = year.contacts * sum(year.hours)
    return {campaign: CampaignIntake(campaign, round(whole * share)) for campaign, share in year._shares().items()}


def of_one(campaign: Campaign, records: int) -> dict[Campaign, CampaignIntake]:
    return {campaign: CampaignIntake(campaign, records)}


ACCIDENTS: dict[str, Callable[[Year], dict[Campaign, CampaignIntake]]] = {
    "no WHERE": lambda year: times(a_day(year), 30),
    "a join that multiplies": lambda year: times(a_day(year), 8),
    "yesterday's file again, dated today": a_day,
    "a wrong column as id": a_day,
    "all of one campaign": lambda year: of_one(max(year._shares()), round(100 * year.contacts)),
    "two fifths invalid": lambda year: times(a_day(year), 0.6, invalid=2 / 3),
    "a new campaign with 5,000": lambda year: of_one(("predictive", "999"), max(5_000, round(5 * year.contacts))),
    "a code changed for all": lambda year: times(a_day(year), 1, changed=1.0),
    "a clock a day ahead": lambda year: times(a_day(year), 1, ahead=1.0),
    "an empty source, and then all at once": lambda year: times(a_day(year), 2),
}


@cache
def known(contacts: float) -> Year:
    """An operation of three months."""
    year = Year(contacts)
    year.live(88, every_ten_minutes)
    return year


@pytest.mark.parametrize("contacts", [60, 600, 5_000])
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident_at_any_hour_of_a_working_day_is_held(contacts: float, accident: str) -> None:
    year = known(contacts)
    for hour in range(6, 20):
        year.now = BEGIN + 88 * DAY + timedelta(hours=5 + hour)  # a Friday, on the clock of Bogota
        year.staged_at = year.now - 10 * MINUTE
        intake = {**year.ordinary(), **ACCIDENTS[accident](year)}
        assert year.judged(intake), f"at {hour}:00"
