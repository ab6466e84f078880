"""The reference pages have what the code has: settings, params, keys, states, answers, metrics, commands, numbers."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from conftest import Database
from crew import fill, stage, verdict
from sandbox_server import SandboxServer

from wolkvox import __version__
from wolkvox.__main__ import main
from wolkvox.dag.params import run_params
from wolkvox.ledger.reports import Tally
from wolkvox.operators import metrics
from wolkvox.provider import FIELDS
from wolkvox.rules import alerts, firing, guard
from wolkvox.rules.answers import Answer, Kind, classify
from wolkvox.rules.chunks import MAX_CHUNK
from wolkvox.rules.operation import LINGER, Entry, GuardOfEntry, usual
from wolkvox.rules.protection import DAYS, Protection
from wolkvox.rules.records import Record
from wolkvox.rules.retry_policy import TRIALS, RetryPolicy
from wolkvox.rules.runs import Chunk
from wolkvox.rules.states import State
from wolkvox.tasks.chunk import describe_chunk
from wolkvox.tasks.worker import Progress
from wolkvox.vendor.extras import KEYS
from wolkvox.vendor.settings import CALL_TIMEOUT

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 28, tzinfo=timezone.utc)


def page(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    return re.split(r"^##+ ", text.partition(f"## {heading}\n")[2], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of a text's tables, without headings."""
    lines = re.findall(r"^ *\|(.+)\| *\n(?! *\|---)", text + "\n", re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)] for line in lines if "---" not in line]


def names(cell: str) -> list[str]:
    """What stands in code style in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def defaults(text: str) -> dict[str, str]:
    """Each name of a table's first cells with its default: the second cell, without code style."""
    return {name: row[1].replace("`", "") for row in rows(text) for name in names(row[0])}


def shown(value: Any) -> str:
    """A default as the pages write it."""
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value in (None, "") else str(value)


def test_every_setting_of_the_connection_has_its_row_and_its_default() -> None:
    told = defaults(section(page("connection"), "Settings in the extra"))
    assert list(told) == [*FIELDS, "verify", "proxies", "cert"]
    assert {key for key in KEYS if f"`{key}`" not in page("connection")} == set()
    for name, field in FIELDS.items():
        if "default" in field["schema"]:
            assert told[name] == str(field["schema"]["default"]), name


def test_every_param_of_the_dag_has_its_row() -> None:
    assert list(defaults(page("params"))) == list(run_params(usual()))


def test_every_key_of_an_operation_has_its_row_and_its_default() -> None:
    told = defaults(page("operations-yaml"))
    nested = {**usual().thresholds.model_dump(), **GuardOfEntry().model_dump()}
    keys = set(Entry.model_fields)
    assert set(told) == {*keys, *nested}
    odd = {"wolkvox_conn_id", "pool", "thresholds", "guard", "run_minutes", "alert_to", "report_to"}
    for name in keys - odd:
        assert told[name] == shown(getattr(usual(), name)), name
    for name, default in nested.items():
        assert told[name] == shown(default), name


def test_every_key_of_a_protection_file_has_its_row() -> None:
    told = [names(row[0])[0] for row in rows(section(page("protection"), "What a file says"))]
    assert told == list(Protection.model_fields)


def test_every_state_has_its_row_and_its_place_in_the_diagram() -> None:
    table = page("states").partition("| state | meaning")[2]
    told = [name for row in rows(table) for name in names(row[0])]
    assert set(told) == set(State)
    diagram = page("states").partition("stateDiagram-v2")[2].partition("```")[0]
    assert set(re.findall(r"\w+(?= -->)|(?<=--> )\w+", diagram)) == set(State)


@pytest.mark.parametrize("row", [row for row in rows(page("answers")) if row[1].strip("`") in Kind.__members__])
def test_an_answer_means_what_its_row_says(row: list[str]) -> None:
    said, kind, _, reason = row
    message = (re.findall(r"\*(.+)\*", said) or ["no"])[0]
    body = b"<html>" if "as a page" in said else b'{"code": "", "msg": "%s"}' % message.encode()
    for status in re.findall(r"\b\d{3}\b", said.partition("no connection")[0]):
        answer = classify(int(status), {}, body, NOW)
        assert answer.kind.name == kind.strip("`"), status
        if status in reason or not re.search(r"\d", reason):
            assert answer.reason == reason.strip("`"), status


def test_every_kind_of_answer_has_a_row() -> None:
    assert {row[1].strip("`") for row in rows(page("answers"))} >= set(Kind.__members__)


def test_every_key_of_a_chunks_tally_has_its_row() -> None:
    tally = describe_chunk(Chunk("id", "run", "0041", 1, 1, 60.0), Tally(), Progress(0.0))
    told = section(page("summary"), "The tally of a chunk")
    assert [name for row in rows(told) for name in names(row[0])] == list(tally)


def test_every_key_of_a_runs_summary_has_its_row(ledger: Database, warehouse: Database, sandbox: SandboxServer) -> None:
    hours = dict.fromkeys(DAYS, "00:00-24:00")
    always_open = Protection.model_validate({"timezone": "America/Bogota", "hours": hours, "rules": [{"days": 1}]})
    fill(warehouse, 3)
    _, staged = stage()
    summary, _ = verdict("run", staged, [], protection=always_open)
    told = section(page("summary"), "The summary of a run")
    assert {name for row in rows(told) for name in names(row[0])} == set(summary)


class Recorder:
    """Keeps the names of metrics by their kind."""

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}

    def incr(self, name: str, count: int = 1, tags: Any = None) -> None:
        self.kinds[name] = "counter"

    def gauge(self, name: str, value: float, tags: Any = None) -> None:
        self.kinds[name] = "gauge"

    def timing(self, name: str, dt: timedelta, tags: Any = None) -> None:
        self.kinds[name] = "timer"


class Everything(dict[str, Any]):
    """A summary in which every count is 1."""

    def __missing__(self, key: str) -> Any:
        return 1

    def get(self, key: str, default: Any = None) -> Any:
        return 1


def test_every_metric_has_its_row_and_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(metrics, "Stats", recorder)
    chunk = metrics.ChunkMetrics("0041")
    chunk.timed(lambda record: Answer(Kind.CODED))(Record(1, "preview", "1", "1", "A", None, None))
    progress = Progress(0.0, requests=1, unknown=1)
    progress.states.update(dict.fromkeys(metrics.COUNTED, 1))
    chunk.report(progress)
    summary: Mapping[str, Any] = Everything(
        operation="0041",
        began_by="event",
        oldest_waiting=None,
        impact=Everything(),
        breaches={"lag": 1},
        not_verifiable=["preview 17"],
    )
    metrics.report_stage("0041", summary)
    metrics.report_run(summary)
    metrics.report_audit(summary)
    told = {name: row[1] for row in rows(section(page("metrics"), "Metrics")) for name in names(row[0])}
    assert told == recorder.kinds


def test_every_command_has_its_row_and_its_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def usage(*command: str) -> str:
        monkeypatch.setattr(sys, "argv", ["wolkvox", *command, "--help"])
        with pytest.raises(SystemExit):
            main()
        return capsys.readouterr().out

    choices = re.findall(r"\{([\w,]+)\}\s+\.\.\.", usage())[0].split(",")
    told = {names(row[0])[0].split()[-1]: row[2] for row in rows(page("commands"))}
    assert set(told) == set(choices)
    for command, options in told.items():
        assert set(re.findall(r"--[\w-]+", options)) == set(re.findall(r"--[\w-]+", usage(command))) - {"--help"}


@pytest.mark.parametrize("text", [".env.example", "docs/kubernetes.md", "docker-compose.yaml"])
def test_the_image_is_named_with_this_version(text: str) -> None:
    named = re.findall(r"\bVERSION(?::-|=)([\w.]+)|wolkvox-codify:([\d.]+)", (ROOT / text).read_text())
    assert {one or other for one, other in named} == {__version__}


def test_the_latest_release_of_the_changelog_is_this_version() -> None:
    (latest, *_) = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d\d-\d\d\)|Unreleased", latest)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} hours"


USUAL = RetryPolicy()
THRESHOLDS = alerts.Thresholds()
GUARD = guard.Guard()
MINUTES = f"after {USUAL.first_suspension / 60:g} minutes, {2 * USUAL.first_suspension / 60:g}"
NUMBERS = [
    ("../README", f"polled every<br>{usual().wake:g} seconds"),
    ("operating", f"more than {THRESHOLDS.refusals * 100:g} % of the latest records"),
    ("operating", f"{THRESHOLDS.quota * 100:g} % of the day's requests are used"),
    ("operating", f"after 1, 2, 4 … {USUAL.longest_breaker_delay / 60:g} minutes"),
    ("faults", f"{USUAL.requests} requests in its life, then it is `failed`"),
    ("faults", f"up to {USUAL.tries} attempts in its first run"),
    ("faults", f"one after {USUAL.first_delay / 60:g} minutes, {2 * USUAL.first_delay / 60:g}, 1 hour"),
    ("faults", f"{USUAL.blocked} requests, then it is `rejected`"),
    ("faults", f"rejects {USUAL.refusals} different records of a campaign in a row, or {USUAL.outages} different"),
    ("faults", f"up to {TRIALS} records try it {MINUTES}, up to {_hours(USUAL.longest_suspension)}"),
    ("faults", f"after {USUAL.first_breaker_delay / 60:g} minute, 2, up to {USUAL.longest_breaker_delay / 60:g}"),
    ("faults", f"after {CALL_TIMEOUT:g} seconds at least"),
    ("suspended-campaigns", f"{USUAL.refusals} different records in a row were rejected"),
    ("suspended-campaigns", f"{USUAL.outages} different records failed"),
    ("suspended-campaigns", f"{MINUTES}, up to {_hours(USUAL.longest_suspension)}"),
    ("circuit-breaker", f"After {USUAL.outages} different records"),
    ("circuit-breaker", f"After {USUAL.refusals} different records"),
    ("circuit-breaker", f"one campaign counts for {USUAL.refusals * 2 // 5} at most"),
    ("answers", f"up to {USUAL.tries} times in its first run"),
    ("states", f"given up after {USUAL.requests} requests"),
    ("glossary", f"given up after {USUAL.requests} requests"),
    ("exports", f"within the {USUAL.requests} requests that a contact may cost"),
    ("supervisor.es", f"abandonados tras {USUAL.requests} peticiones"),
    ("suspended-campaigns", f"wolkvox rejects {['', 'once', 'twice', 'three times'][USUAL.refused_trials]} becomes"),
    ("guarantees", f"{USUAL.requests} in a record's life"),
    ("when-runs-begin", f"waits {LINGER:g} seconds for more"),
    ("when-runs-begin", f"`wake` seconds, {usual().wake:g} by default"),
    ("summary", f"at most {MAX_CHUNK:,} records"),
    ("guard", f"than {GUARD.times:g} times the largest of these weeks' hours"),
    ("guard", f"more than {guard.OF_ANY_HOUR:g} times the busiest hour"),
    ("guard", f"more than {100 * GUARD.changed:g} %"),
    ("guard", f"more than {100 * GUARD.invalid:g} %"),
    ("guard", f"dated more than {guard.AHEAD / timedelta(hours=1):g} hours after now"),
    ("guard", f"{GUARD.least} or more records"),
    ("guard", f"Fewer than {GUARD.least} new records"),
    ("guard", f"After `hold_hours` ({GUARD.hold / timedelta(hours=1):g})"),
    ("alerts", f"more than {THRESHOLDS.refusals * 100:g} % of the latest records"),
    ("alerts", f"more than {THRESHOLDS.backlog_age / timedelta(hours=1):g} hours"),
    ("alerts", f"{THRESHOLDS.quota * 100:g} % are used"),
    (
        "alerts",
        f"resolved --> [*]: after {['', 'one', 'two', 'three', 'four', 'five', 'six', 'seven'][firing.KEPT.days]} days",
    ),
]


@pytest.mark.parametrize(("name", "sentence"), NUMBERS)
def test_numbers_in_sentences_are_the_defaults(name: str, sentence: str) -> None:
    assert sentence in " ".join(page(name).split())


def test_the_ages_of_retention_are_the_dags() -> None:
    dag = (ROOT / "dags" / "wolkvox_retention.py").read_text()
    for name in ("ANONYMISE_AFTER", "KEEP"):
        (days,) = re.findall(rf"^{name} = timedelta\(days=(\d+)\)", dag, re.MULTILINE)
        (row,) = [row for row in rows(page("retention")) if f"`{name}`" in row[1]]
        assert f"{int(days):,} days" in row[0]
