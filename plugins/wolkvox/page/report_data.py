"""What a report is made of: the first screen's own figures of the chosen days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from wolkvox.ledger.connection import now_of
from wolkvox.ledger.figures import Figures, figures
from wolkvox.page import queries
from wolkvox.page.overview import describe_service, overview
from wolkvox.page.reading import EVER, LEDGER, USUAL, Days, know, settings
from wolkvox.rules.spans import Span, hours_of


@dataclass(frozen=True, slots=True)
class ReportData:
    """
    What the ledger said of some days at one time.

    ``overview`` and ``service`` are as the page gets them; ``parts`` are the hours of the day, or the days where there
    are several, with their ``figures``.
    """

    operation: str
    zone: str
    made_at: datetime
    since: date
    until: date
    begins_at: datetime
    target: timedelta
    overview: Mapping[str, Any]
    service: Mapping[str, Any]
    parts: Sequence[Span]
    figures: Mapping[Span, Figures]

    @property
    def is_one_day(self) -> bool:
        """Whether it is of one day, hour by hour."""
        return self.since == self.until


def read_report(chosen: Days = EVER, of: queries.Dag = USUAL, ledger_conn_id: str = LEDGER) -> ReportData | None:
    """
    Read the figures of the chosen days among the last 30, of yesterday where none are chosen.

    None where none of the chosen days is among them.
    """
    connection = settings(of)
    operation, zone = connection.operation, connection.quota_timezone
    with queries.snapshot(ledger_conn_id) as ledger:
        now = now_of(ledger)
        days = chosen if chosen != EVER else _yesterday(now, zone)
        screen = know(ledger, connection, now, days, airflow=lambda _: None, usual=of.dag_id)
        if not screen.chosen:
            return None
        first, last = screen.chosen[0], screen.chosen[-1]
        parts = hours_of(first) if first == last else screen.chosen
        level = queries.service_level(ledger, operation, screen.lag_target, first.starts_at, last.ends_at)
        return ReportData(
            operation=operation,
            zone=zone,
            made_at=now,
            since=_local(first.starts_at, zone),
            until=_local(last.starts_at, zone),
            begins_at=first.starts_at,
            target=screen.lag_target,
            overview=overview(screen),
            service=describe_service(level, screen.listed),
            parts=parts,
            figures=figures(ledger, operation, parts, []) if first == last else screen.figures,
        )


def _yesterday(now: datetime, zone: str) -> Days:
    day = _local(now, zone) - timedelta(days=1)
    return Days(day, day)


def _local(timestamp: datetime, zone: str) -> date:
    return timestamp.astimezone(ZoneInfo(zone)).date()
