"""
Figures for whatever Airflow's own metrics go to (StatsD, OpenTelemetry); without either they cost nothing.

All names begin with ``wolkvox.``. The tag names the operation, never a customer. Plain StatsD drops tags: there, each
figure goes out a second time with the operation at the end of its name, as in ``wolkvox.backlog.sales``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from time import monotonic
from typing import Any

from airflow.sdk import conf
from airflow.sdk.observability.stats import Stats

from wolkvox.rules.answers import Answer
from wolkvox.rules.records import Record
from wolkvox.tasks.worker import Progress

COUNTED = {"coded": "coded", "rejected": "refused", "failed": "failed"}
_ODD = re.compile(r"[^A-Za-z0-9_.-]")  # what some backends drop a whole figure for, without an error


class ChunkMetrics:
    """
    Counters of one codify task, sent as it goes, and the time of each request.

    ``wolkvox.coded``, ``.refused``, ``.failed``, ``.unknown`` and ``.requests`` are counters, ``.call`` is a timer.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._sent: Counter[str] = Counter()
        self._progress: Progress | None = None

    def timed(self, send: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        """``send``, with each request timed."""

        def call(record: Record) -> Answer:
            began = monotonic()
            answer = send(record)
            _time("call", timedelta(seconds=monotonic() - began), self._operation)
            return answer

        return call

    def report(self, progress: Progress) -> None:
        """Send what came on top since the last time."""
        self._progress = progress
        now = Counter({name: progress.states[state] for state, name in COUNTED.items()})
        now.update(unknown=progress.unknown, requests=progress.requests)
        for name, count in (now - self._sent).items():
            _count(name, count, self._operation)
        self._sent = now

    def finish(self) -> None:
        """Send the rest, however the chunk ended."""
        if self._progress is not None:
            self.report(self._progress)


def report_stage(operation: str, summary: Mapping[str, Any]) -> None:
    """
    What began the run, and how long nobody has polled for work, tagged with the operation.

    ``wolkvox.runs`` is a counter, tagged with ``began_by`` (event, schedule, person, other) too; ``.poll_age`` is a
    gauge: seconds since the last poll of the DAG's trigger that worked.
    """
    _count("runs", 1, operation, began_by=summary["began_by"])
    if summary["poll_age"] is not None:
        _gauge("poll_age", summary["poll_age"], operation)


def report_run(summary: Mapping[str, Any]) -> None:
    """
    Gauges at the end of a run, tagged with the operation.

    ``wolkvox.backlog`` (records), ``.backlog_age`` (seconds), ``.backlog_at_opening`` (records that wait, or will, when
    calling hours begin), ``.quota_left`` (requests), ``.lag_p50`` and ``.lag_p95`` (seconds from contact to
    codification of the run's records).
    """
    gauges = {
        "backlog": summary["waiting"],
        "backlog_age": _age(summary["oldest_waiting"]),
        "backlog_at_opening": summary.get("left_at_opening"),
        "quota_left": summary["quota_left"],
        "lag_p50": summary["lag_p50"],
        "lag_p95": summary["lag_p95"],
    }
    for name, value in gauges.items():
        if value is not None:
            _gauge(name, value, summary["operation"])


def report_audit(summary: Mapping[str, Any]) -> None:
    """
    Gauges of what an audit found in the days it looked at, tagged with the operation.

    ``wolkvox.confirmed``, ``.mismatch``, ``.missing``, ``.open_again``, ``.overtaken`` (contacts), ``.dialled_after``,
    ``.dialled_before``, ``.calls_avoided`` and ``.breaches`` (customers), ``.not_verifiable`` (campaigns).
    """
    impact = summary["impact"]
    gauges = {
        **{name: summary[name] for name in ("confirmed", "mismatch", "missing", "open_again", "overtaken")},
        "not_verifiable": len(summary["not_verifiable"]),
        **{name: impact[name] for name in ("dialled_after", "dialled_before")},
        "calls_avoided": impact["calls_prevented"],
        "breaches": sum(summary["breaches"].values()),
    }
    for name, value in gauges.items():
        _gauge(name, value, summary["operation"])


def _age(moment: str | None) -> float:
    """Seconds since a moment; 0 when nothing waits."""
    return 0.0 if moment is None else (datetime.now(timezone.utc) - datetime.fromisoformat(moment)).total_seconds()


def _count(name: str, count: int, operation: str, **tags: str) -> None:
    for full in _names(name, operation):
        Stats.incr(full, count, tags=_tags(operation, **tags))


def _gauge(name: str, value: float, operation: str) -> None:
    for full in _names(name, operation):
        Stats.gauge(full, value, tags=_tags(operation))


def _time(name: str, length: timedelta, operation: str) -> None:
    for full in _names(name, operation):
        Stats.timing(full, length, tags=_tags(operation))


def _names(name: str, operation: str) -> Iterator[str]:
    yield f"wolkvox.{name}"
    if _tags_are_dropped():
        yield f"wolkvox.{name}.{_ODD.sub('_', operation).replace('.', '_')}"  # a dot begins a level of the name


def _tags(operation: str, **more: str) -> dict[str, str]:
    return {name: _ODD.sub("_", value) for name, value in {"operation": operation, **more}.items()}


@cache
def _tags_are_dropped() -> bool:
    """Whether Airflow's metrics go to a StatsD that knows no tags."""

    def on(option: str) -> bool:
        return conf.getboolean("metrics", option, fallback=False)

    return on("statsd_on") and not on("statsd_datadog_enabled") and not on("statsd_influxdb_enabled")
