"""What editors know of the files that people write: as much as can be said without their other files and rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from wolkvox.rules.json_schema import operations_schema, protection_schema
from wolkvox.rules.operations import read_operations
from wolkvox.rules.yaml_lines import read_yaml

INCLUDE = Path(__file__).parents[2] / "include"
SCHEMAS = {"operations": operations_schema(), "protection": protection_schema()}


def faults(name: str, text: str) -> list[str]:
    """What an editor marks, by path."""
    value = json.loads(json.dumps(read_yaml(text).value, default=str))
    validator = Draft202012Validator(SCHEMAS[name])
    return [".".join(map(str, error.absolute_path)) for error in validator.iter_errors(value)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_deployed_schema_is_the_models(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    remake = f"make it anew: python -m wolkvox lint --schema {name} > include/schemas/{name}.json"
    assert json.loads((INCLUDE / "schemas" / f"{name}.json").read_text()) == SCHEMAS[name], remake


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("operations", "operations.yaml"),
        ("protection", "protection/colombia.yaml"),
        ("protection", "protection/chile.yaml"),
    ],
)
def test_an_editor_marks_nothing_in_the_shipped_files_and_finds_their_schema(name: str, file: str) -> None:
    text = (INCLUDE / file).read_text(encoding="utf-8")
    assert faults(name, text) == []
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    assert ((INCLUDE / file).parent / first.partition("=")[2]).resolve() == INCLUDE / "schemas" / f"{name}.json"


@pytest.mark.parametrize(
    "entry",
    [
        "wake: off",
        "wake: 'off'",
        "alert_to: ana@example.com",
        "alert_to: [ana@example.com]",
        "report_to: ana@example.com",
        "language: es",
        "placeholder_ids: [5, SIN CARNET]",
        "schedule:",
        "thresholds: {quota: 0.5}",
        "guard: off",
        "guard: {ceiling: 50000}",
        "guard: {ceiling: }",
        "run_minutes: 15",
    ],
)
def test_what_the_reader_takes_an_editor_takes(entry: str) -> None:
    text = f"x-common:\n  anything: 1\nsales:\n  {entry}\nservice:\n"
    assert read_operations(text, lambda _: "").mistakes == []
    assert faults("operations", text) == []


@pytest.mark.parametrize(
    "entry", ["scheduel: x", "wake: soon", "pool: 5", "lookback_hours: 721", "thresholds: {quota: 2}", "sql: SELECT 1"]
)
def test_an_editor_marks_a_wrong_entry(entry: str) -> None:
    assert faults("operations", f"sales:\n  {entry}\n") == ["sales"]


def test_an_editor_marks_a_name_that_is_none() -> None:
    assert faults("operations", "Sales:\n") == [""]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("x-note: 1\ntimezone: America/Lima\nholidays:\nclosed: [2026-12-24]\nrules: [{days: 1}]\n", []),
        ("timezone: America/Lima\n", [""]),
        ("timezone: America/Lima\nhours: {Monday: '07:00-08:00'}\nrules: [{days: 1}]\n", ["hours"]),
        ("timezone: America/Lima\nrules: [{days: 0}]\n", ["rules.0.days"]),
    ],
)
def test_an_editor_marks_wrong_protection_rules(text: str, marked: list[Any]) -> None:
    assert faults("protection", text) == marked
