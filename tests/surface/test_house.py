"""The rooms of the package know each other in one direction only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "plugins" / "wolkvox"
LEAVES = {"errors", "stop", "names"}  # known to everybody, know nobody
SURFACE = "surface"
MAY_KNOW = {
    "rules": set(),
    "vendor": {"rules"},
    "ledger": {"rules"},
    "tasks": {"rules", "vendor", "ledger"},
    "airflow_core": set(),
    "page": {"rules", "vendor", "ledger", "airflow_core"},
    SURFACE: {"rules", "vendor", "ledger", "tasks", "page", "airflow_core", SURFACE},
}
OUTSIDE = {"airflow", "requests", "urllib3", "psycopg", "sqlalchemy", "fastapi", "alembic"}


def modules() -> Iterator[tuple[Path, str]]:
    """Every module with its room."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if "migrations" not in parts:
            yield path, parts[0] if len(parts) > 1 else path.stem if path.stem in LEAVES else SURFACE


def imports(path: Path) -> Iterator[str]:
    """What a module imports, by full name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "wolkvox.ledger":
            yield from (f"wolkvox.ledger.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room_of(name: str) -> str:
    first = name.split(".")[1] if "." in name else SURFACE
    return first if first in MAY_KNOW or first in LEAVES else SURFACE


@pytest.mark.parametrize(("path", "room"), modules(), ids=lambda value: getattr(value, "stem", value))
def test_a_room_knows_only_the_rooms_below_it(path: Path, room: str) -> None:
    known = {room_of(name) for name in imports(path) if name.startswith("wolkvox")}
    allowed = MAY_KNOW.get(room, set()) | LEAVES | {room}
    above = known - allowed
    # The page reads the wolkvox connection through the hook, as every user of the package does.
    assert above <= ({SURFACE} if room == "page" else set()), f"{path.name} knows {above}"


@pytest.mark.parametrize(("path", "room"), modules(), ids=lambda value: getattr(value, "stem", value))
def test_rules_do_no_input_or_output_and_tasks_know_no_airflow(path: Path, room: str) -> None:
    outside = {name.split(".")[0] for name in imports(path)} & OUTSIDE
    if room in ("rules", *LEAVES):
        assert outside == set()
    if room == "tasks":
        assert "airflow" not in outside


# What Airflow promises to keep: https://airflow.apache.org/docs/apache-airflow/stable/public-airflow-interface.html
PUBLIC = ("airflow.sdk", "airflow.providers", "airflow.plugins_manager", "airflow.triggers.base")


def test_only_one_room_knows_what_airflow_does_not_promise_to_keep() -> None:
    inner = {
        (room, name)
        for path, room in modules()
        for name in imports(path)
        if name.split(".")[0] == "airflow" and not name.startswith(PUBLIC)
    }
    assert {room for room, _ in inner} == {"airflow_core"}
    assert sorted({name for _, name in inner}) == [
        "airflow.api.common.trigger_dag",
        "airflow.api_fastapi.app",
        "airflow.api_fastapi.auth.managers.models.resource_details",
        "airflow.api_fastapi.core_api.security",
        "airflow.configuration",
        "airflow.dag_processing.dagbag",
        "airflow.models",
        "airflow.models.dag",
        "airflow.models.pool",
        "airflow.utils.session",
        "airflow.utils.types",
    ]


@pytest.mark.parametrize("room", ["ledger", "page"])
def test_each_statement_that_is_asked_for_has_a_file_and_each_file_is_asked_for(room: str) -> None:
    code = "".join(path.read_text() for path in sorted((PACKAGE / room).glob("*.py")))
    named = set(re.findall(r"""\bsql\(['"](\w+)['"]\)""", code))
    assert len(named) > 5
    assert named == {path.stem for path in (PACKAGE / room / "sql").glob("*.sql")}
