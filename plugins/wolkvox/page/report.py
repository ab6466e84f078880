"""A report in the reader's language: its figures, charts and tables as texts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from wolkvox.page.dictionary import Dictionary, dictionary
from wolkvox.page.formats import NOTHING, duration, number, percent
from wolkvox.page.report_chart import TARGET, Chart
from wolkvox.page.report_data import ReportData
from wolkvox.rules.states import UNSUCCESSFUL, State

MOST_ROWS = 20  # of a table: a report is read, not searched
DARK, LIGHT, GREEN, AMBER, RED = "#175cd3", "#b2ccff", "#067647", "#dc6803", "#b42318"


class Tile(NamedTuple):
    """A figure, what it is, and a note below it, which may be empty."""

    title: str
    value: str
    note: str = ""


class Picture(NamedTuple):
    """A chart, its title, and what its colours mean."""

    name: str
    title: str
    legend: Sequence[tuple[str, str]]
    chart: Chart


class Table(NamedTuple):
    """Rows below heads; ``shares`` of the width that each column takes. Without rows it says so."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[int]


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report says, in the order in which it says it."""

    language: str
    subject: str
    title: str
    heading: Sequence[tuple[str, str]]
    tiles: Sequence[Tile]
    pictures: Sequence[Picture]
    tables: Sequence[Table]
    nothing: str
    attached: str


def compose(data: ReportData, language: str) -> Report:
    """The report in a language."""
    writer = _Writer(data, language)
    say = writer.say
    return Report(
        language=language,
        subject=writer.subject(),
        title=say("report.title", days=writer.days),
        heading=[
            (say("evidence.operation"), data.operation),
            (say("evidence.zone"), data.zone),
            (say("evidence.made_at"), writer.time(data.made_at)),
        ],
        tiles=_tiles(data, writer),
        pictures=[_lag(data, writer), _records(data, writer)],
        tables=[
            *_shares(data, writer),
            _reasons(data, writer),
            _dialled(data, writer),
            _waiting(data, writer),
            *_suspended(data, writer),
        ],
        nothing=say("problems.none"),
        attached=say("report.attached"),
    )


class _Writer:
    """Writes texts and numbers in one language."""

    def __init__(self, data: ReportData, language: str) -> None:
        self._data, self._language = data, language
        self.say: Dictionary = dictionary(language)

    def number(self, value: float | None) -> str:
        return number(value, self._language)

    def percent(self, share: float | None) -> str:
        return percent(share, self._language)

    def duration(self, seconds: float | None) -> str:
        return duration(seconds, self._language)

    def time(self, timestamp: datetime) -> str:
        return f"{timestamp.astimezone(ZoneInfo(self._data.zone)):%Y-%m-%d %H:%M}"

    @property
    def target(self) -> str:
        return self.duration(self._data.target.total_seconds())

    @property
    def days(self) -> str:
        since, until = self._data.since.isoformat(), self._data.until.isoformat()
        return since if self._data.is_one_day else self.say("report.range", since=since, until=until)

    def subject(self) -> str:
        level = self._data.service["all"]
        share = self.percent(level["share"]) if level else self.say("report.nothing_coded")
        key = "report.subject" if level else "report.subject_none"
        said = self.say(key, operation=self._data.operation, days=self.days, share=share, target=self.target)
        return " ".join(said.split())

    def campaign(self, one: Mapping[str, Any]) -> str:
        return " ".join(filter(None, (one["type_campaign"], one["campaign_id"], one["name"]))) or NOTHING


def _tiles(data: ReportData, writer: _Writer) -> list[Tile]:
    say, level, today = writer.say, data.service["all"] or {}, data.overview["today"]
    counts = {state: sum(one[state] for one in data.overview["campaigns"]) for state in (State.CODED, *UNSUCCESSFUL)}
    impact = data.overview["impact"]
    after = sum(day["dialled_after"] for day in impact["days"]) if impact else None
    within = say("report.of", within=writer.number(level.get("within")), records=writer.number(level.get("records")))
    return [
        Tile(say("report.within", target=writer.target), writer.percent(level.get("share")), within if level else ""),
        Tile(
            say("report.lag"),
            writer.duration(level.get("p50")),
            say("report.lag_note", p95=writer.duration(level.get("p95"))) if level else "",
        ),
        *(Tile(_capital(say(f"column.{state}")), writer.number(count)) for state, count in counts.items()),
        Tile(_capital(say("column.dialled_after")), writer.number(after)),
        Tile(_capital(say("column.waiting")), writer.number(today["waiting"]), _what_waits(data, writer)),
    ]


def _what_waits(data: ReportData, writer: _Writer) -> str:
    """How much of what waits can be sent, and why the rest can't."""
    today = data.overview["today"]
    parts = [_counted(writer, f"tile.{name}", today[name]) for name in ("sendable", "suspended", "deferred")]
    if today["oldest_waiting"]:
        age = (data.made_at - datetime.fromisoformat(today["oldest_waiting"])).total_seconds()
        parts.append(writer.say("tile.waiting_oldest", age=writer.duration(age)))
    return "; ".join(filter(None, parts))


def _counted(writer: _Writer, key: str, count: int) -> str:
    """The sentence with its number; nothing for none."""
    return writer.say(key, number=count) if count else ""


def _lag(data: ReportData, writer: _Writer) -> Picture:
    """Median and 95th percentile of each part, one bar behind the other, and the target."""
    lags = [(data.figures[part].lag_p50 or 0.0, data.figures[part].lag_p95 or 0.0) for part in data.parts]
    bars = [(p50 / 60, max(0.0, p95 - p50) / 60) for p50, p95 in lags]  # minutes, of which the axis has round numbers
    target = data.target.total_seconds() / 60
    key = "report.lag_by_hour" if data.is_one_day else "report.lag_by_day"
    legend = [
        (DARK, writer.say("chart.lag_p50")),
        (LIGHT, writer.say("chart.lag_p95")),
        (TARGET, f"{writer.say('chart.target')}: {writer.target}"),
    ]
    chart = Chart(_labels(data), bars, (DARK, LIGHT), lambda minutes: writer.duration(60 * minutes), target)
    return Picture("lag", writer.say(key), legend, chart)


def _records(data: ReportData, writer: _Writer) -> Picture:
    """What became of the records of each part."""
    states = ((State.CODED,), (State.REJECTED, State.INVALID), (State.FAILED,))
    bars = [[float(data.figures[part].records(*some)) for some in states] for part in data.parts]
    colours = (GREEN, AMBER, RED)
    legend = list(zip(colours, map(writer.say, ("chart.coded", "chart.refused", "chart.failed")), strict=True))
    key = "report.records_by_hour" if data.is_one_day else "report.records_by_day"
    return Picture("records", writer.say(key), legend, Chart(_labels(data), bars, colours, writer.number))


def _labels(data: ReportData) -> list[str]:
    """The hour of each part on the operation's clock, or its day."""
    starts = [part.starts_at.astimezone(ZoneInfo(data.zone)) for part in data.parts]
    return [f"{start:%H:%M}" if data.is_one_day else f"{start:%m-%d}" for start in starts]


def _shares(data: ReportData, writer: _Writer) -> list[Table]:
    """How much of each campaign and each channel came within the target."""
    say = writer.say
    named: tuple[tuple[str, str, Callable[[Mapping[str, Any]], str]], ...] = (
        ("campaign", "report.by_campaign", writer.campaign),
        ("channel", "report.by_channel", lambda one: one["channel"] or say("service.no_channel")),
    )
    return [
        Table(
            say(title, target=writer.target),
            [say(f"column.{name}") for name in (part, "coded", "share_within", "p95")],
            [
                [name(one), writer.number(one["records"]), writer.percent(one["share"]), writer.duration(one["p95"])]
                for one in data.service[f"{part}s"][:MOST_ROWS]
            ],
            (49, 17, 17, 17),
        )
        for part, title, name in named
    ]


def _reasons(data: ReportData, writer: _Writer) -> Table:
    """Why records were not coded."""
    say = writer.say
    rows = [
        [
            say(f"state.{one['state']}"),
            say.reason(one["reason"]) if one["reason"] else say("records.none_given"),
            writer.number(one["records"]),
            one["message"] or "",
        ]
        for one in data.overview["reasons"]
    ]
    heads = [say(f"column.{name}") for name in ("state", "reason", "records", "example")]
    return Table(say("report.reasons"), heads, rows, (12, 40, 10, 38))


def _dialled(data: ReportData, writer: _Writer) -> Table:
    """Whom the dialler called all the same."""
    rows = [
        [writer.say.reason(f"breach_{one['cause']}"), writer.number(one["contacts"])]
        for one in data.overview["breaches"]
    ]
    heads = [writer.say("column.why"), writer.say("column.contacts")]
    return Table(writer.say("report.dialled"), heads, rows, (80, 20))


def _waiting(data: ReportData, writer: _Writer) -> Table:
    """What waits when the report is made, by the age of the contact."""
    say = writer.say
    ages = [one for one in data.overview["ages"] if one["records"]]
    rows = [[say(f"age.{one['up_to'] or 'null'}"), writer.number(one["records"])] for one in ages]
    heads = [say("column.age"), say("column.records")]
    return Table(say("report.waiting", time=writer.time(data.made_at)), heads, rows, (80, 20))


def _suspended(data: ReportData, writer: _Writer) -> list[Table]:
    """The campaigns that are suspended, where there are any."""
    say = writer.say
    rows = [
        [
            writer.campaign(one),
            say.reason(one["reason"]),
            writer.time(datetime.fromisoformat(one["since"])),
            writer.number(one["waiting"]),
        ]
        for one in data.overview["suspended"]
    ]
    heads = [say(f"column.{name}") for name in ("campaign", "why", "since", "waiting")]
    return [Table(say("suspended.title"), heads, rows, (30, 40, 18, 12))] if rows else []


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
