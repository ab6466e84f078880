"""
The product's metrics go where Airflow's own metrics go: StatsD or OpenTelemetry. Without either they cost nothing.

All names begin with ``wolkvox.``. A tag names the operation, never a customer. Plain StatsD drops tags: there, each
figure is sent a second time with the operation at the end of its name, as in ``wolkvox.backlog.sales``.
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

COUNTED = ("coded", "rejected", "failed")
_ODD = re.compile(r"[^A-Za-z0-9_.-]")  # for such a character some backends drop a figure, without an error


class ChunkMetrics:
    """
    Counters of one codify task, sent while it works, and a timer of its requests.

    ``wolkvox.coded``, ``.rejected``, ``.failed``, ``.unknown`` and ``.requests`` are counters, ``.request`` is a timer.
    """

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self._sent: Counter[str] = Counter()
        self._progress: Progress | None = None

    def timed(self, send: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        """Return ``send`` with a timer around each request."""

        def request(record: Record) -> Answer:
            began = monotonic()
            answer = send(record)
            _time("request", timedelta(seconds=monotonic() - began), self._operation)
            return answer

        return request

    def report(self, progress: Progress) -> None:
        """Send what was added since the last report."""
        self._progress = progress
        now = Counter({state: progress.states[state] for state in COUNTED})
        now.update(unknown=progress.unknown, requests=progress.requests)
        for name, count in (now - self._sent).items():
            _count(name, count, self._operation)
        self._sent = now

    def finish(self) -> None:
        """Send the rest, also where the task failed."""
        if self._progress is not None:
            self.report(self._progress)


def report_stage(operation: str, summary: Mapping[str, Any]) -> None:
    """
    Send what began the run, and the time since the last poll for work, tagged with the operation.

    ``wolkvox.runs`` is a counter, also tagged with ``began_by`` (event, schedule, person, other). ``.poll_age`` is a
    gauge: seconds since the DAG's trigger last polled with success.
    """
    _count("runs", 1, operation, began_by=summary["began_by"])
    if summary["poll_age"] is not None:
        _gauge("poll_age", summary["poll_age"], operation)


def report_run(summary: Mapping[str, Any]) -> None:
    """
    Send the gauges of a run that ends, tagged with the operation.

    ``wolkvox.backlog`` (records), ``.backlog_age`` (seconds), ``.backlog_at_opening`` (records that wait, or will wait,
    when calling hours begin), ``.quota_left`` (requests), ``.lag_p50`` and ``.lag_p95`` (seconds from contact to
    codification of the run's records). A gauge without a value is not sent.
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
    Send the gauges of an audit: its findings in the days that it compared, tagged with the operation.

    ``wolkvox.confirmed``, ``.mismatch``, ``.missing``, ``.open_again``, ``.overtaken`` (contacts), ``.dialled_after``,
    ``.dialled_before``, ``.calls_prevented`` and ``.breaches`` (customers), ``.not_verifiable`` (campaigns).
    """
    impact = summary["impact"]
    gauges = {
        **{name: summary[name] for name in ("confirmed", "mismatch", "missing", "open_again", "overtaken")},
        "not_verifiable": len(summary["not_verifiable"]),
        **{name: impact[name] for name in ("dialled_after", "dialled_before", "calls_prevented")},
        "breaches": sum(summary["breaches"].values()),
    }
    for name, value in gauges.items():
        _gauge(name, value, summary["operation"])


def _age(timestamp: str | None) -> float:
    """Return the seconds since a timestamp; 0 for None, when nothing waits."""
    if timestamp is None:
        return 0.0
    return (datetime.now(timezone.utc) - datetime.fromisoformat(timestamp)).total_seconds()


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
    """Return whether Airflow's metrics go to plain StatsD, which has no tags."""

    def on(option: str) -> bool:
        return conf.getboolean("metrics", option, fallback=False)

    return on("statsd_on") and not on("statsd_datadog_enabled") and not on("statsd_influxdb_enabled")
