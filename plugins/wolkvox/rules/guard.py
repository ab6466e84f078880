"""Whether what a run brings is unusual for its operation, judged before its first request. Pure: time is passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
WEEKS = 4  # of the past that say what is usual
YOUNG = timedelta(days=7)  # a ledger of less says nothing of what is usual
OF_ANY_HOUR = 1.5  # times the largest hour of the days but one: a load that comes at another hour than usual
OF_NEW = 0.5  # times the usual hour: what campaigns that were never seen may bring together
OF_INVALID = 2.0  # times the usual share
FEW = 10  # records of a campaign that are unusual by themselves, at least
AHEAD = timedelta(hours=14)  # that a contact may be dated after now because its clock is in another zone
MOSTLY = 0.5  # share of a campaign's records that are dated ahead
NAMED = 3  # campaigns of a sentence
LONGEST_NAMED = 6  # characters of a campaign's id; a longer one may be a customer's, where a query mixed its columns up

Campaign = tuple[str | None, str | None]
Afterwards = Literal["hold", "release", "discard"]
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Guard:
    """
    From where on what a run brings is held.

    ``ceiling``: new records of one run; None: no ceiling. ``least``: new records within an hour, or new rows of a run,
    below which nothing but the ceiling is judged. ``times``: how many times the usual hour. ``invalid``: share of new
    rows that can't be sent. ``changed``: share of new records that give a known contact another code. After ``hold``,
    ``afterwards`` says what becomes of what is held: "hold" keeps it until a person decides.
    """

    ceiling: int | None = None
    least: int = 100
    times: float = 3.0
    invalid: float = 0.25
    changed: float = 0.8
    hold: timedelta = DAY
    afterwards: Afterwards = "hold"


@dataclass(frozen=True, slots=True)
class CampaignIntake:
    """
    What a run brings of one campaign: new ``records`` that can be sent, and new rows that can't (``invalid``).

    Of the records, ``changed`` give a known contact another code, and ``ahead`` are dated more than ``AHEAD`` after
    now.
    """

    campaign: Campaign
    records: int
    invalid: int = 0
    changed: int = 0
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Intake:
    """
    What a run brings, by campaign.

    ``lately``: records that other runs brought within the hour before and that were not held.
    """

    campaigns: Sequence[CampaignIntake]
    lately: int = 0

    def total(self, name: str) -> int:
        """The sum of a count of ``CampaignIntake`` over all campaigns."""
        return sum(getattr(one, name) for one in self.campaigns)

    @property
    def rows(self) -> int:
        """New rows of the run, those that can't be sent among them."""
        return self.total("records") + self.total("invalid")

    @property
    def hour(self) -> int:
        """Records that came in within an hour."""
        return self.lately + self.total("records")


@dataclass(frozen=True, slots=True)
class History:
    """
    What came in before, by full hours; what was held and not released is left out.

    ``since``: the first arrival that is known. ``staged_at``: when a run last pulled the usual window; None: never.
    """

    hours: Mapping[datetime, int]
    since: datetime | None
    staged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """
    What is asked for only when a run looks unusual.

    ``peaks``: the largest hour of each campaign that was seen in the last weeks. ``lately``: of each campaign, what
    came in within the hour before the run; None: it was not asked for. ``invalid``: usual share of rows that can't be
    sent.
    """

    peaks: Mapping[Campaign, int] = field(default_factory=dict)
    lately: Mapping[Campaign, int] | None = None
    invalid: float = 0.0


@dataclass(frozen=True, slots=True)
class Expectation:
    """
    What is usual now, in records.

    ``hour``: the largest hour at this hour of the week. ``any_hour``: that of any hour, the busiest day left out.
    ``missed``: what else a run brings that is the first one after some hours.
    """

    hour: int
    any_hour: int
    missed: int = 0

    def most(self, times: float) -> float:
        """Records within an hour that are still usual."""
        return max(times * self.hour, OF_ANY_HOUR * self.any_hour) + self.missed

    @property
    def peak(self) -> int:
        """The larger hour of both."""
        return max(self.hour, self.any_hour)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why records are held: the rule's ``name``, the campaigns it holds, and the figures it went by."""

    name: str
    campaigns: tuple[Campaign, ...]
    figures: Figures

    def as_dict(self) -> dict[str, Any]:
        """For the ledger, which keeps no campaign by an id that may be a customer's: those are counted (``others``)."""
        named = [campaign for campaign in self.campaigns if len(campaign[1] or "") <= LONGEST_NAMED]
        others = len(self.campaigns) - len(named)
        return {"name": self.name, "campaigns": named, "others": others, "figures": dict(self.figures)}


def usual(history: History, now: datetime, window: timedelta = HOUR) -> Expectation | None:
    """
    What is usual now, by the hours of the last weeks; None in a young ledger.

    :param window: how far back a run pulls that a person asked for; such a run may bring what is usual for all of it
    """
    if history.since is None or now - history.since < YOUNG:
        return None
    this = now.replace(minute=0, second=0, microsecond=0)
    alike = [this - week * WEEK + near * HOUR for week in range(1, WEEKS + 1) for near in (-1, 0, 1)]
    hour = max(history.hours.get(began_at, 0) for began_at in alike)
    days: dict[int, int] = {}
    for began_at, records in history.hours.items():
        age = (now - began_at) // DAY
        days[age] = max(days.get(age, 0), records)
    largest = sorted(days.values())
    any_hour = largest[-2] if len(largest) > 1 else 0
    away = max(window, HOUR if history.staged_at is None else now - history.staged_at)
    hours = max(0, min(away, WEEKS * WEEK) // HOUR - 1)
    return Expectation(hour, any_hour, hours * max(hour, any_hour))


def judge(intake: Intake, expectation: Expectation | None, guard: Guard, details: Details) -> list[Reason]:
    """
    Why records of this run are to be held, and which campaigns' each reason holds; empty: all is usual.

    :param expectation: None in a young ledger, where nothing but the ceiling is judged
    :param details: without any, a run is judged more strictly: what is usual then is so with them, too
    """
    rules: Sequence[_Rule] = (_ceiling,) if expectation is None else RULES
    reasons = (rule(intake, expectation or Expectation(0, 0), guard, details) for rule in rules)
    return [reason for reason in reasons if reason is not None and reason.campaigns]


def _ceiling(intake: Intake, _: Expectation, guard: Guard, details: Details) -> Reason | None:
    records = intake.total("records")
    if guard.ceiling is None or records <= guard.ceiling:
        return None
    held = _beyond(intake, guard, details, records - guard.ceiling)
    return Reason("ceiling", held, {"records": records, "ceiling": guard.ceiling})


def _volume(intake: Intake, expectation: Expectation, guard: Guard, details: Details) -> Reason | None:
    most = max(guard.least, expectation.most(guard.times))
    if intake.hour <= most:
        return None
    held = _beyond(intake, guard, details, intake.hour - most)
    return Reason("volume", held, {"records": intake.hour, "usual": expectation.peak})


def _new_campaigns(intake: Intake, expectation: Expectation, guard: Guard, details: Details) -> Reason | None:
    """Campaigns that were never seen bring a part of the usual hour together, at most."""
    unseen = [one for one in intake.campaigns if one.records and one.campaign not in details.peaks]
    records = sum(one.records for one in unseen) + _lately(unseen, intake, details)
    if records <= max(guard.least, OF_NEW * expectation.peak + expectation.missed):
        return None
    return Reason("new_campaigns", _names(unseen), {"records": records, "usual": expectation.peak})


def _changed(intake: Intake, _: Expectation, guard: Guard, __: Details) -> Reason | None:
    records, changed = intake.total("records"), intake.total("changed")
    if changed < guard.least or changed <= guard.changed * records:
        return None
    held = _most_of(intake, lambda one: one.changed > guard.changed * one.records)
    return Reason("changed", held, {"records": records, "changed": changed})


def _invalid(intake: Intake, _: Expectation, guard: Guard, details: Details) -> Reason | None:
    rows, invalid = intake.rows, intake.total("invalid")
    share = max(guard.invalid, OF_INVALID * details.invalid)
    if rows < guard.least or invalid <= share * rows:
        return None
    held = _most_of(intake, lambda one: one.invalid > share * (one.records + one.invalid))
    return Reason("invalid", held, {"rows": rows, "invalid": invalid, "usual_share": round(details.invalid, 4)})


def _ahead(intake: Intake, _: Expectation, guard: Guard, __: Details) -> Reason | None:
    ahead = intake.total("ahead")
    if ahead < guard.least:
        return None
    held = _most_of(intake, lambda one: one.ahead > MOSTLY * one.records)
    return Reason("ahead", held, {"records": intake.total("records"), "ahead": ahead})


_Rule = Callable[[Intake, Expectation, Guard, Details], Reason | None]
RULES: Sequence[_Rule] = (_ceiling, _volume, _new_campaigns, _changed, _invalid, _ahead)


def _beyond(intake: Intake, guard: Guard, details: Details, excess: float) -> tuple[Campaign, ...]:
    """
    The campaigns that bring too much: each that is unusual by itself, then the others until what is left is usual.

    Those that exceed their own largest hour by most come first.

    :param excess: records that are too many
    """

    def times(one: CampaignIntake) -> float:
        return (one.records + _lately([one], intake, details)) / max(1, details.peaks.get(one.campaign, 0))

    def is_unusual(one: CampaignIntake) -> bool:
        return one.records >= FEW and times(one) > guard.times

    held = []
    some = [one for one in intake.campaigns if one.records]
    for one in sorted(some, key=lambda one: (is_unusual(one), times(one)), reverse=True):
        if excess <= 0 and not is_unusual(one):
            break
        held.append(one)
        excess -= one.records
    return _names(held)


def _most_of(intake: Intake, is_unusual: Callable[[CampaignIntake], bool]) -> tuple[Campaign, ...]:
    """The campaigns that are unusual by themselves; all of the run's where none is."""
    some = [one for one in intake.campaigns if one.records]
    return _names(one for one in some if is_unusual(one)) or _names(some)


def _lately(campaigns: Iterable[CampaignIntake], intake: Intake, details: Details) -> int:
    """What came in of these campaigns within the hour before; all that came in, where nobody asked yet."""
    if details.lately is None:
        return intake.lately
    return sum(details.lately.get(one.campaign, 0) for one in campaigns)


def _names(campaigns: Iterable[CampaignIntake]) -> tuple[Campaign, ...]:
    return tuple(one.campaign for one in campaigns)


_SENTENCES = {
    "ceiling": "{records:,} new records came with one run, and the ceiling is {ceiling:,}",
    "volume": "{records:,} records came in within an hour, where {usual:,} are usual",
    "new_campaigns": "{records:,} records are of campaigns that were not seen in the last four weeks",
    "changed": "{changed:,} of {records:,} new records give a known contact another code",
    "invalid": "{invalid:,} of {rows:,} new rows can't be sent, where {usual_share:.1%} is usual",
    "ahead": "{ahead:,} of {records:,} new records are dated more than 14 hours after now",
}


def sentence(reason: Mapping[str, Any]) -> str:
    """A reason, as the ledger keeps it, as a sentence, with the first campaigns by name."""
    campaigns = [" ".join(map(str, campaign)) for campaign in reason["campaigns"]]
    named, more = ", ".join(campaigns[:NAMED]), len(campaigns[NAMED:]) + reason["others"]
    held = f"campaign {named} and {more} more" if named and more else f"campaign {named}" if named else ""
    said = _SENTENCES[reason["name"]].format(**reason["figures"])
    return f"{said} (held: {held or f'{more} campaigns whose ids have more than {LONGEST_NAMED} characters'})"
