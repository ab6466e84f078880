"""Until when a customer must not be dialled: Colombia's and Chile's rules, others, and wrong ones."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from wolkvox.rules.mistakes import Unreadable
from wolkvox.rules.protection import Protection, read_protection

EXAMPLES = Path(__file__).parents[2] / "include" / "protection"
BOGOTA, SANTIAGO = ZoneInfo("America/Bogota"), ZoneInfo("America/Santiago")


def example(country: str) -> Protection:
    return read_protection((EXAMPLES / f"{country}.yaml").read_text(encoding="utf-8"))


def protection(text: str) -> Protection:
    return read_protection(dedent(text))


def until(rules: Protection, contacted_at: str, channel: str | None, direct: bool | None, zone: ZoneInfo) -> str | None:
    """The protection's end on the zone's clock."""
    end = rules.until(datetime.fromisoformat(contacted_at).replace(tzinfo=zone), channel, direct)
    return None if end is None else end.astimezone(zone).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("contacted_at", "channel", "direct", "end"),
    [
        ("2026-11-26 10:00", "whatsapp", True, "Mon 2026-11-30 07:00"),
        ("2026-11-29 23:59", "sms", True, "Mon 2026-11-30 07:00"),  # a Sunday still is of the week before
        ("2026-11-30 00:00", "sms", True, "Mon 2026-12-07 07:00"),
        ("2026-11-26 10:00", "Call", True, "Fri 2026-11-27 07:00"),  # the same channel: not again that day
        ("2026-11-27 20:00", "call", True, "Sat 2026-11-28 08:00"),
        ("2026-11-28 09:00", "call", True, "Mon 2026-11-30 07:00"),  # no calls on Sundays
        ("2026-01-09 10:00", "whatsapp", True, "Tue 2026-01-13 07:00"),  # Monday the 12th is a holiday
        ("2026-11-26 10:00", "whatsapp", None, "Mon 2026-11-30 07:00"),  # not told whether direct: taken to be
        ("2026-11-26 10:00", None, True, "Mon 2026-11-30 07:00"),
        ("2026-11-26 10:00", "whatsapp", False, None),
        ("2026-11-26 10:00", "call", False, None),
    ],
)
def test_colombia(contacted_at: str, channel: str | None, direct: bool | None, end: str | None) -> None:
    assert until(example("colombia"), contacted_at, channel, direct, BOGOTA) == end


@pytest.mark.parametrize(
    ("contacted_at", "channel", "direct", "end"),
    [
        ("2026-11-26 10:00", "visita", None, "Mon 2026-11-30 08:00"),
        ("2026-11-24 10:00", "sms", False, "Fri 2026-11-27 08:00"),
        ("2026-11-26 10:00", "sms", True, "Mon 2026-11-30 08:00"),  # no calls on weekends
        ("2026-12-05 10:00", "sms", True, "Wed 2026-12-09 08:00"),  # nor on the 8th of December
        # Clocks go forward at midnight from the 5th to the 6th of September: that day has no 00:00.
        ("2026-09-03 10:00", "email", True, "Mon 2026-09-07 08:00"),
    ],
)
def test_chile(contacted_at: str, channel: str, direct: bool | None, end: str) -> None:
    assert until(example("chile"), contacted_at, channel, direct, SANTIAGO) == end


def test_a_rolling_week_ends_at_the_minute_it_began_and_needs_no_calling_hours() -> None:
    rules = protection(
        """
        timezone: America/Bogota
        week: rolling
        rules:
          - {weeks: 2}
        """
    )
    assert until(rules, "2026-11-26 10:17", None, None, BOGOTA) == "Thu 2026-12-10 10:17"
    assert rules.opened(datetime(2026, 11, 26, tzinfo=timezone.utc)) is None


def test_a_week_may_begin_on_sunday_and_days_may_be_closed_by_name() -> None:
    rules = protection(
        """
        timezone: America/Bogota
        week: sunday
        closed: [2026-11-29, 2026-11-30]
        hours: {sunday: "00:00-24:00", monday: "09:30-10:00", tuesday: "22:00-24:00"}
        rules: [{channels: [SMS], days: 1}, {weeks: 1}]
        """
    )
    assert until(rules, "2026-11-26 10:00", "chat", None, BOGOTA) == "Tue 2026-12-01 22:00"
    assert until(rules, "2026-12-05 10:00", "sms", None, BOGOTA) == "Sun 2026-12-06 00:00"
    assert rules.opened(datetime(2026, 12, 6, 23, 59, tzinfo=BOGOTA)) == datetime(2026, 12, 6, tzinfo=BOGOTA)
    assert rules.opened(datetime(2026, 12, 7, 9, 29, tzinfo=BOGOTA)) is None
    assert rules.opened(datetime(2026, 11, 30, 9, 45, tzinfo=BOGOTA)) is None


def test_hours_that_never_come_protect_until_the_rule_s_own_end() -> None:
    years = ", ".join(f"2026-{month:02}-{day:02}" for month in (11, 12) for day in range(1, 31))
    more = ", ".join(f"2027-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29))
    text = f"""
        timezone: America/Bogota
        hours: {{monday: "08:00-09:00"}}
        closed: [{years}, {more}, 2027-03-29, 2027-05-31, 2027-08-30, 2027-11-29, 2027-01-29]
        rules: [{{days: 1}}]
        """
    assert until(protection(text), "2026-11-26 10:00", None, None, BOGOTA) == "Fri 2026-11-27 00:00"


GOOD = 'timezone: America/Bogota\nweek: monday\nholidays: CO\nhours:\n  monday: "07:00-19:00"\nrules:\n  - days: 1\n'


@pytest.mark.parametrize(
    ("good", "wrong", "message"),
    [
        ("CO", "XX", "line 3, holidays: 'XX' can't be used: give the two letters of a country"),
        ("America/Bogota", "Bogota", "line 1, timezone: 'Bogota' can't be used: give the name of a time zone"),
        ("America/Bogota", "..", "line 1, timezone: '..' can't be used"),
        ("America/Bogota", "America", "line 1, timezone: 'America' can't be used"),
        ("week: monday", "week: friday", "line 2, week: 'friday' can't be used: give monday, sunday"),
        ("07:00-19:00", "19:00-07:00", "line 5, hours.monday: '19:00-07:00' can't be used"),
        ("07:00-19:00", "7-19", "line 5, hours.monday: '7-19' can't be used"),
        ("  monday:", "  Monday:", "line 5, hours.Monday: 'Monday' can't be used: give a day and its calling hours"),
        ("days: 1", "dias: 1", "line 7, rules.0.dias: there is no such key"),
        ("days: 1", "days: 010", "line 7, rules.0.days: 010 can't be used: give days from 1 to 366"),
        ("days: 1", "days: 1:30", "line 7, rules.0.days: 1:30 can't be used"),
        ("days: 1", "weeks: 0x1", "line 7, rules.0.weeks: 0x1 can't be used: give weeks from 1 to 52"),
        ('"07:00-19:00"', "12:00", "line 5, hours.monday: 12:00 can't be used: give a day and its calling hours"),
        ("America/Bogota", "Etc/GMT-5", "can't be used (Etc/GMT-5 is 5 hours ahead of UTC, and Etc/GMT+5 is as far"),
        ("days: 1", "days: 0", "line 7, rules.0.days: 0 can't be used: give days from 1 to 366"),
        ("days: 1", "{days: 1, weeks: 1}", "line 7, rules.0: a rule has either days or weeks"),
        ("days: 1", "{direct: true}", "line 7, rules.0: a rule has either days or weeks"),
        ("days: 1", "{days: 1, direct: maybe}", "line 7, rules.0.direct: 'maybe' can't be used: give true"),
        ("days: 1", "{days: 1, channels: call}", "line 7, rules.0.channels: 'call' can't be used"),
        ("week:", "on:", "line 2, on: there is no such key"),
        ("week:", "1:", "line 2, 1: there is no such key"),
        ("week:", "semana:", "line 2, semana: there is no such key: leave it out. The keys are timezone"),
        ("rules:", "rulez:", "rules: it is missing: give a list of rules"),
        ("timezone: America/Bogota\n", "", "timezone: it is missing"),
        ('"07', "'07", "this is no YAML (found unexpected end of stream)"),
        (GOOD, "", "line 1: write the keys"),
        (GOOD, "- a\n", "line 1: write the keys"),
        (GOOD, "a: \x00\n", "this is no YAML"),
        ("week: monday", "closed: [2026-13-45]", "month must be in 1..12"),
        ("week: monday", "closed: [christmas]", "line 2, closed.0: 'christmas' can't be used"),
    ],
)
def test_a_wrong_set_of_rules_is_told_with_its_line_and_what_to_write(good: str, wrong: str, message: str) -> None:
    assert good in GOOD
    with pytest.raises(Unreadable) as error:
        read_protection(GOOD.replace(good, wrong))
    assert message in str(error.value)


@pytest.mark.parametrize(
    "channel", ["Teléfono", "voz", "VISITA TERRENO", "sucursal", "Llamada", "visita  domiciliaria"]
)
def test_chile_counts_calls_and_visits_however_they_are_spelt(channel: str) -> None:
    assert until(example("chile"), "2026-11-24 10:00", channel, None, SANTIAGO) == "Mon 2026-11-30 08:00"


@pytest.mark.parametrize(
    "channel", ["SMS", "E-Mail", "Whats App", "correo_electronico", "Correo Electro\u0301nico", "WSP"]
)
def test_chile_counts_remote_contacts_however_they_are_spelt(channel: str) -> None:
    assert until(example("chile"), "2026-11-24 10:00", channel, None, SANTIAGO) == "Fri 2026-11-27 08:00"


@pytest.mark.parametrize("channel", ["TELÉFONO", "Llamada telefonica", "voz", "phone-call"])
def test_colombia_counts_calls_however_they_are_spelt(channel: str) -> None:
    assert until(example("colombia"), "2026-11-24 10:00", channel, True, BOGOTA) == "Wed 2026-11-25 07:00"


@pytest.mark.parametrize("channel", [None, "", "paloma mensajera", "15", "???", "call me"])
@pytest.mark.parametrize(
    ("country", "zone", "end"),
    [("chile", SANTIAGO, "Mon 2026-11-30 08:00"), ("colombia", BOGOTA, "Mon 2026-11-30 07:00")],
)
def test_a_channel_that_no_rule_names_gets_the_strictest_rule(
    country: str, zone: ZoneInfo, end: str, channel: str | None
) -> None:
    assert until(example(country), "2026-11-24 10:00", channel, True, zone) == end


@pytest.mark.parametrize(
    ("rules", "end"),
    [
        ("[{channels: [call], weeks: 2}, {days: 3}]", "Mon 2026-12-07 00:00"),
        ("[{days: 3}, {channels: [call], days: 1}]", "Fri 2026-11-27 00:00"),
        ("[{channels: [call], weeks: 1}, {channels: [sms], days: 30}]", "Thu 2026-12-24 00:00"),
        ("[{channels: [call], direct: false, weeks: 9}, {days: 1}]", "Wed 2026-11-25 00:00"),
        ("[{days: 3}, {weeks: 4}]", "Fri 2026-11-27 00:00"),  # no rule looks at channels: the first that fits
    ],
)
def test_of_an_unknown_channel_the_longest_rule_that_fits_counts_wherever_it_stands(rules: str, end: str) -> None:
    text = f"timezone: America/Bogota\nrules: {rules}\n"
    assert until(read_protection(text), "2026-11-24 10:00", "fax", True, BOGOTA) == end


@pytest.mark.parametrize(("key", "line"), [("holidays: CO", 3), ("closed: [2026-12-24]", 3), ("holidays: CL", 3)])
@pytest.mark.parametrize("hours", ["", "hours: {}\n"])
def test_days_without_calling_hours_are_a_mistake_where_there_are_no_hours(key: str, line: int, hours: str) -> None:
    with pytest.raises(Unreadable) as error:
        read_protection(f"timezone: America/Bogota\nweek: monday\n{key}\n{hours}rules: [{{days: 1}}]\n")
    assert str(error.value) == (
        f"line {line}, {key.partition(':')[0]}: it has no effect without hours: give the calling hours of each day as"
        " well, or leave it out."
    )
