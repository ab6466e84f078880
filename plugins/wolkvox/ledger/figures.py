"""
Counts what was settled in an hour or a day: once when it is over, live while it lasts.

A span is counted once no transaction is left that began before its end. A trigger marks the hour of a record that
changes or is deleted after it was settled (wolkvox.dirty_hour); a marked span is counted live until the next
``count_closed_spans``. So the figures always equal the ledger's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from wolkvox.ledger.connection import Connection, sql
from wolkvox.rules.spans import Span

# One process at a time counts; a second one returns at once.
COUNT_LOCK = 7_041_965


class Count(NamedTuple):
    """Records of one campaign, state and reason; ``message``: one of the vendor's messages, without ids."""

    type_campaign: str | None
    campaign_id: str | None
    state: str
    reason: str | None
    message: str | None
    records: int
    last_at: datetime


@dataclass(slots=True)
class Figures:
    """One span's counts, and median and 95th percentile of the seconds from contact to codification."""

    lag_p50: float | None = None
    lag_p95: float | None = None
    counts: list[Count] = field(default_factory=list)

    def records(self, *states: str) -> int:
        """The number of records in these states."""
        return sum(count.records for count in self.counts if count.state in states)


def figures(connection: Connection, operation: str, hours: Sequence[Span], days: Sequence[Span]) -> dict[Span, Figures]:
    """
    The figures of every hour and day, the last of which are not over yet.

    The caller's transaction has the isolation level "repeatable read": all figures are of one snapshot.
    """
    spans = [*hours, *days]
    result = {span: Figures() for span in spans}
    asked = _params(operation, spans)
    counted = set()
    for starts_at, ends_at, p50, p95 in connection.execute(sql("counted_spans"), asked):
        span = Span(starts_at, ends_at)
        counted.add(span)
        result[span].lag_p50, result[span].lag_p95 = p50, p95
    kept = connection.execute(
        "SELECT starts_at, ends_at, type_campaign, campaign_id, state, reason, message, records, last_at"
        " FROM wolkvox.span_count WHERE operation = %s",
        (operation,),
    )
    for starts_at, ends_at, *count in kept:
        if (span := Span(starts_at, ends_at)) in counted:
            result[span].counts.append(Count(*count))
    live = [span for span in spans if span not in counted]
    composed = {span: parts for span in live if span in days and (parts := _hours_of(span, hours))}
    simple = _params(operation, [span for span in live if span not in composed])
    for starts_at, ends_at, *count in connection.execute(sql("count_spans"), simple):
        result[Span(starts_at, ends_at)].counts.append(Count(*count))
    for span, parts in composed.items():
        result[span].counts = [count for part in parts for count in result[part].counts]
    for starts_at, ends_at, p50, p95 in connection.execute(sql("span_lags"), _params(operation, live)):
        span = Span(starts_at, ends_at)
        result[span].lag_p50, result[span].lag_p95 = p50, p95
    return result


def _hours_of(day: Span, hours: Sequence[Span]) -> list[Span]:
    """The hours that add up to today so far; empty where they don't: another day, or a zone off the full hour."""
    inside = [hour for hour in hours if day.starts_at <= hour.starts_at and hour.ends_at <= day.ends_at]
    covered = inside and inside[0].starts_at == day.starts_at and inside[-1] == hours[-1]
    return inside if covered else []


def count_closed_spans(connection: Connection, operation: str, spans: Sequence[Span]) -> int:
    """Count the spans that are over and not counted yet, delete counted spans not among ``spans``; returns how many."""
    with connection.transaction():
        row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (COUNT_LOCK,)).fetchone()
        if row is None or not row[0]:
            return 0
        oldest = _oldest_transaction(connection)
        connection.execute(sql("recomputed"))
        connection.execute(sql("forget_spans"), _params(operation, spans))
        counted = {
            Span(*row)
            for row in connection.execute(
                "SELECT starts_at, ends_at FROM wolkvox.span WHERE operation = %s", (operation,)
            )
        }
        todo = [span for span in spans if span.ends_at <= oldest and span not in counted]
        params = _params(operation, todo)
        for table, counting in (("span", "span_lags"), ("span_count", "count_spans")):
            insert = f"INSERT INTO wolkvox.{table} SELECT %(operation)s, counted.* FROM ({sql(counting)}) AS counted"  # noqa: S608 - our own names
            connection.execute(insert, params)
    return len(todo)


class Lag(NamedTuple):
    """Seconds from contact to codification: median and 95th percentile; None when nothing was coded."""

    p50: float | None
    p95: float | None


def run_lag(connection: Connection, dag_run_id: str, chunk_ids: Sequence[str]) -> Lag:
    """The lag of the coded records of a run's chunks."""
    row = connection.execute(sql("run_lag"), {"dag_run_id": dag_run_id, "chunk_ids": list(chunk_ids)}).fetchone()
    return Lag(*row) if row else Lag(None, None)


def _oldest_transaction(connection: Connection) -> datetime:
    """When the oldest transaction that may still write began; now at the latest."""
    row = connection.execute(
        "SELECT least(now(), min(xact_start)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    ).fetchone()
    assert row is not None
    oldest: datetime = row[0]
    return oldest


def _params(operation: str, spans: Sequence[Span]) -> dict[str, Any]:
    return {
        "operation": operation,
        "starts": [span.starts_at for span in spans],
        "ends": [span.ends_at for span in spans],
    }
