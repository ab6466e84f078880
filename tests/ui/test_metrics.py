"""Airflow's own stats get our figures, as datagrams of StatsD."""

from __future__ import annotations

import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest
from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
from airflow.sdk.observability import stats as airflow_stats
from airflow.sdk.observability.metrics.statsd_logger import get_statsd_logger

from wolkvox.operators import metrics
from wolkvox.rules.answers import Answer, Kind
from wolkvox.rules.records import Record
from wolkvox.tasks.worker import Progress

RECORD = Record(1, "preview", "15501", "1", "ACT", None, None)


class Kept:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any, Any]] = []

    def incr(self, name: str, count: int = 1, tags: Any = None) -> None:
        self.sent.append(("incr", name, count, tags))

    def gauge(self, name: str, value: float, tags: Any = None) -> None:
        self.sent.append(("gauge", name, value, tags))

    def timing(self, name: str, dt: Any, tags: Any = None) -> None:
        self.sent.append(("timing", name, dt.total_seconds() >= 0, tags))


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(metrics, "Stats", kept)
    return kept


def test_a_chunk_sends_what_was_added(stats: Kept) -> None:
    tags = {"operation": "0041"}
    chunk = metrics.ChunkMetrics("0041")
    progress = Progress(started=time.monotonic())
    chunk.report(progress)
    progress.states, progress.requests, progress.unknown = Counter(coded=3, rejected=1), 5, 1
    chunk.report(progress)
    progress.states["coded"], progress.requests = 4, 6
    chunk.finish()
    chunk.finish()
    assert stats.sent == [
        ("incr", "wolkvox.coded", 3, tags),
        ("incr", "wolkvox.rejected", 1, tags),
        ("incr", "wolkvox.unknown", 1, tags),
        ("incr", "wolkvox.requests", 5, tags),
        ("incr", "wolkvox.coded", 1, tags),
        ("incr", "wolkvox.requests", 1, tags),
    ]


def test_each_request_is_timed(stats: Kept) -> None:
    send = metrics.ChunkMetrics("0041").timed(lambda record: Answer(Kind.CODED))
    assert send(RECORD) == Answer(Kind.CODED)
    assert stats.sent == [("timing", "wolkvox.request", True, {"operation": "0041"})]


def test_a_run_leaves_gauges(stats: Kept) -> None:
    summary = {"waiting": 7, "oldest_waiting": None, "quota_left": None, "lag_p50": 60.0, "lag_p95": 90.0}
    tags = {"operation": "sales"}
    metrics.report_run({**summary, "operation": "sales"})
    assert stats.sent == [
        ("gauge", "wolkvox.backlog", 7, tags),
        ("gauge", "wolkvox.backlog_age", 0.0, tags),
        ("gauge", "wolkvox.lag_p50", 60.0, tags),
        ("gauge", "wolkvox.lag_p95", 90.0, tags),
    ]


def test_a_stage_tells_what_began_the_run_and_when_the_last_poll_was(stats: Kept) -> None:
    metrics.report_stage("0041", {"began_by": "event", "poll_age": 3.5})
    metrics.report_stage("0041", {"began_by": "schedule", "poll_age": None})
    assert stats.sent == [
        ("incr", "wolkvox.runs", 1, {"operation": "0041", "began_by": "event"}),
        ("gauge", "wolkvox.poll_age", 3.5, {"operation": "0041"}),
        ("incr", "wolkvox.runs", 1, {"operation": "0041", "began_by": "schedule"}),
    ]


def test_airflows_own_stats_take_them_without_a_backend() -> None:
    summary = {"waiting": 1, "oldest_waiting": None, "quota_left": 5, "lag_p50": None, "lag_p95": None}
    metrics.report_run({**summary, "operation": "sales"})
    metrics.report_stage("sales", {"began_by": "person", "poll_age": 1.0})
    metrics.ChunkMetrics("0041").timed(lambda record: Answer(Kind.CODED))(RECORD)


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What listens where Airflow's own metrics go, by StatsD."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(2.0)
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_HOST", "127.0.0.1")
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_PORT", str(listener.getsockname()[1]))
    metrics._tags_are_dropped.cache_clear()
    yield listener
    metrics._tags_are_dropped.cache_clear()
    airflow_stats.initialize(factory=NoStatsLogger, export_legacy_names=True)
    listener.close()


def received(listener: socket.socket, figures: int) -> list[str]:
    """The datagrams that arrive."""
    return [listener.recv(1_000).decode() for _ in range(figures)]


ODD_NAMES = ["127.0.0.1:8101", "wolkvox.example.com/api", "José", "a=b,c", "sales east|c"]


@pytest.mark.parametrize("operation", ODD_NAMES)
def test_a_figure_arrives_whatever_the_operation_is_called(
    statsd: socket.socket, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED", "True")
    airflow_stats.initialize(factory=cast("Any", get_statsd_logger), export_legacy_names=True)
    metrics.report_stage(operation, {"began_by": "event", "poll_age": 3.5})
    runs, age = received(statsd, 2)
    assert re.fullmatch(r"airflow\.wolkvox\.runs,operation=[A-Za-z0-9_.-]+,began_by=event:1\|c", runs)
    assert re.fullmatch(r"airflow\.wolkvox\.poll_age,operation=[A-Za-z0-9_.-]+:3\.5\|g", age)


def test_operations_do_not_overwrite_each_other_where_tags_are_dropped(statsd: socket.socket) -> None:
    airflow_stats.initialize(factory=cast("Any", get_statsd_logger), export_legacy_names=True)
    for number, operation in enumerate(["sales", "127.0.0.1:8101"]):
        metrics.report_stage(operation, {"began_by": "event", "poll_age": number})
    assert received(statsd, 8) == [
        "airflow.wolkvox.runs:1|c",
        "airflow.wolkvox.runs.sales:1|c",
        "airflow.wolkvox.poll_age:0|g",
        "airflow.wolkvox.poll_age.sales:0|g",
        "airflow.wolkvox.runs:1|c",
        "airflow.wolkvox.runs.127_0_0_1_8101:1|c",
        "airflow.wolkvox.poll_age:1|g",
        "airflow.wolkvox.poll_age.127_0_0_1_8101:1|g",
    ]
