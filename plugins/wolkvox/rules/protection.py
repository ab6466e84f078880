"""Until when a customer who was reached must not be dialled, and when anybody may be: rules as data. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from functools import cache, cached_property, lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

from wolkvox.rules.contacts import Contact
from wolkvox.rules.mistakes import Unreadable
from wolkvox.rules.validation import STRICT, remedy, validated
from wolkvox.rules.values import folded
from wolkvox.rules.yaml_lines import read_yaml
from wolkvox.rules.zones import why_backwards

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ROLLING = "rolling"  # a week is seven times 24 hours from the contact

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_LONGEST_CLOSED = 366  # days without calling hours, after which they are taken to be never

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError) as error:  # not found is a KeyError, a folder an OSError
        raise ValueError from error
    if backwards := why_backwards(name):
        raise ValueError(backwards)
    return name


Zone = Annotated[str, Field(description="the name of a time zone, as in America/Bogota"), AfterValidator(_zone)]


def _hours(text: str) -> str:
    begin, _, end = text.partition("-")
    if not _HOURS.fullmatch(text) or begin >= end:
        raise ValueError
    return text


def _country(code: str) -> str:
    if code:
        _holidays(code)
    return code


@cache
def _holidays(country: str) -> Callable[[date], bool]:
    """
    Whether a day is a public holiday of a country.

    :raises ValueError: when the country isn't known
    """
    import holidays  # a third of a second that only those pay who name a country

    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError as error:  # so that library says that it has no such country
        raise ValueError from error
    return lambda day: day in calendar


class Rule(BaseModel):
    """Which contacts protect for how long: so many days, that of the contact among them, or so many weeks."""

    model_config = STRICT

    channels: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(
            description="a list of channels as the warehouse names them, accents, case and blanks aside, as in"
            " [call, visit]; left out: any"
        ),
    ] = []
    direct: Annotated[
        bool | None,
        Field(description="true (both sides spoke, or the warehouse doesn't say) or false; left out: either"),
    ] = None
    days: Annotated[int | None, Field(ge=1, le=366, description="days from 1 to 366, as in 1")] = None
    weeks: Annotated[int | None, Field(ge=1, le=52, description="weeks from 1 to 52, as in 1")] = None

    @model_validator(mode="after")
    def _one_length(self) -> Rule:
        if (self.days is None) == (self.weeks is None):
            raise remedy("a rule has either days or weeks, as in {direct: true, weeks: 1}.")
        return self

    def fits(self, direct: bool | None) -> bool:
        """Whether it is about a contact in which both sides spoke, or didn't; one that isn't known counts as direct."""
        return self.direct is None or self.direct == (direct is not False)

    def covers(self, channel: str | None, direct: bool | None) -> bool:
        """Whether it is about such a contact."""
        return self.fits(direct) and (not self.channels or folded(channel or "") in map(folded, self.channels))


class Protection(BaseModel):
    """
    A set of rules, as a file below ``include/protection`` says it. Each description says what to write.

    ``week``: on which day a week begins, or that it is seven days from the contact. ``hours``: when anybody may be
    called, a day that is left out not at all. The first of ``rules`` that covers a contact counts; of one whose
    channel no rule names, the strictest: nobody is dialled because a warehouse spells a channel in a new way.
    """

    model_config = STRICT

    timezone: Zone
    week: Annotated[
        Literal["monday", "sunday", "rolling"],
        Field(description="monday, sunday (the day that a week begins on) or rolling (seven days from the contact)"),
    ] = "monday"
    hours: Annotated[
        dict[Day, Annotated[str, AfterValidator(_hours)]],
        Field(description='a day and its calling hours in quotes, as in monday: "07:00-19:00"'),
    ] = {}
    holidays: Annotated[
        str,
        AfterValidator(_country),
        Field(description="the two letters of a country, as in CO, whose public holidays have no calling hours"),
    ] = ""
    closed: Annotated[
        list[date], Field(description="a list of other days without calling hours, as in [2026-12-24]")
    ] = []
    rules: Annotated[
        list[Rule],
        Field(min_length=1, description="a list of rules, each with days or weeks, as in - {direct: true, weeks: 1}"),
    ]

    def until(self, contacted_at: datetime, channel: str | None, direct: bool | None) -> datetime | None:
        """
        Until when the customer must not be dialled, in UTC; None: the contact protects from nothing.

        That is the first minute of calling hours after the time that the rule gives.
        """
        if self.names(channel):
            rules = [rule for rule in self.rules if rule.covers(channel, direct)][:1]
        else:
            rules = [rule for rule in self.rules if rule.fits(direct)]
        ends = [self._end(rule, contacted_at) for rule in rules]
        return self.opens(max(ends)) if ends else None

    def names(self, channel: str | None) -> bool:
        """Whether a rule names the channel; each one is named where no rule names any."""
        return self._channels is None or folded(channel or "") in self._channels

    @cached_property
    def _channels(self) -> frozenset[str] | None:
        """The channels that the rules name, ``folded``; None: they don't look at channels."""
        named = frozenset(folded(name) for rule in self.rules for name in rule.channels)
        return named or None

    @field_validator("holidays", "closed")
    @classmethod
    def _needs_hours(cls, value: object, others: ValidationInfo) -> object:
        if value and others.data.get("hours") == {}:
            raise remedy("it has no effect without hours: give the calling hours of each day as well, or leave it out.")
        return value

    def _end(self, rule: Rule, contacted_at: datetime) -> datetime:
        day = contacted_at.astimezone(self.zone).date()
        if rule.weeks is None:
            return self._at(day + timedelta(days=rule.days or 0))
        if self.week == ROLLING:
            return contacted_at + timedelta(weeks=rule.weeks)
        begun = day - timedelta(days=(day.weekday() - DAYS.index(self.week)) % len(DAYS))
        return self._at(begun + timedelta(weeks=rule.weeks))

    def opens(self, now: datetime) -> datetime:
        """Return the first time of calling hours from this one on, in UTC: itself, when it is within them."""
        if not self.hours:
            return now.astimezone(timezone.utc)
        today = now.astimezone(self.zone).date()
        for later in range(_LONGEST_CLOSED):
            opening = self._opening(today + timedelta(days=later))
            if opening is not None and now < opening[1]:
                return max(now, opening[0]).astimezone(timezone.utc)
        return now.astimezone(timezone.utc)

    def opened(self, now: datetime) -> datetime | None:
        """Return when the calling hours began that a time is within; None: it is within none, or there are none."""
        opening = self._opening(now.astimezone(self.zone).date()) if self.hours else None
        return opening[0] if opening is not None and opening[0] <= now < opening[1] else None

    def _opening(self, day: date) -> tuple[datetime, datetime] | None:
        """A day's calling hours."""
        hours = self.hours.get(DAYS[day.weekday()])  # type: ignore[call-overload]
        if hours is None or day in self.closed or (self.holidays and _holidays(self.holidays)(day)):
            return None
        begin, _, end = hours.partition("-")
        midnight = self._at(day + timedelta(days=1))
        return self._at(day, begin), midnight if end == "24:00" else self._at(day, end)

    def _at(self, day: date, hour: str = "00:00") -> datetime:
        return datetime.combine(day, time.fromisoformat(hour), self.zone).astimezone(timezone.utc)

    @property
    def zone(self) -> ZoneInfo:
        """Where its days begin."""
        return ZoneInfo(self.timezone)


def protected(contacts: Iterable[Contact], rules: Protection) -> Iterator[Contact]:
    """The contacts, each with until when its customer must not be dialled."""
    until = lru_cache(maxsize=10_000)(rules.until)
    for contact in contacts:
        reached_at = contact.contacted_at
        if reached_at is None:
            yield contact
            continue
        if rules.week != ROLLING:  # the quarter of an hour says the day, in every zone; so few ends are reckoned
            reached_at = reached_at.replace(minute=reached_at.minute // 15 * 15, second=0, microsecond=0)
        yield contact._replace(protected_until=until(reached_at, contact.channel, contact.direct))


@lru_cache(maxsize=32)  # many operations name one file
def read_protection(text: str) -> Protection:
    """
    A set of rules from its file's text.

    :raises Unreadable: with all that is wrong in it
    """
    document = read_yaml(text)
    if document.mistakes:
        raise Unreadable(document.mistakes)
    if not isinstance(document.value, dict):
        raise Unreadable([document.mistake((), "write the keys timezone and rules, one a line.")])
    return validated(Protection, document, (), document.value)
