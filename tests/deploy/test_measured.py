"""What the docs say about speed is what was measured."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.figure import Figure

MACHINE: dict[str, object] = {
    "measured_at": "2026-11-01",
    "cores": 2,
    "ram_gib": 4,
    "system": "Linux",
    "python": "3.11.7",
    "postgresql": "18.4",
}


def test_the_docs_show_the_last_measurement() -> None:
    assert report.markdown(json.loads(report.RESULTS.read_text())) in report.PAGE.read_text()


def test_a_measurement_replaces_the_pages_table_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"# Before\n{report.BEGIN}old\n{report.END}after\n")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results.json")
    figures = [Figure("speed", 0.98761, "of light", 0.9), Figure("weight", 3.0, "kg", 2, True), Figure("hue", 7, "")]
    report.keep(MACHINE, figures)
    assert page.read_text().splitlines() == [
        "# Before",
        report.BEGIN.strip(),
        "Measured on 2026-11-01: 2 cores, 4 GiB, Linux, Python 3.11.7, PostgreSQL 18.4.",
        "",
        "| figure | measured | to reach | reached |",
        "| --- | --- | --- | --- |",
        "| speed | 0.9876 of light | ≥ 0.9 | yes |",
        "| weight | 3 kg | ≤ 2 | no |",
        "| hue | 7 |  |  |",
        "",
        report.END.strip(),
        "after",
    ]
