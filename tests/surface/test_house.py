"""What the contracts in pyproject.toml, which import-linter holds, can't say of the package's rooms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "plugins" / "wolkvox"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE).with_suffix(""))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def imports(path: Path) -> Iterator[str]:
    """The full names of the modules that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_top_floor_has_what_airflows_people_look_for_and_little_else() -> None:
    assert sorted(path.stem for path in PACKAGE.glob("*.py")) == [
        "__init__",
        "__main__",
        "errors",
        "hook",
        "notifier",
        "plugin",
        "provider",
        "stop",
        "triggers",
    ]


# What Airflow promises to keep: https://airflow.apache.org/docs/apache-airflow/stable/public-airflow-interface.html
PUBLIC = ("airflow.sdk", "airflow.providers", "airflow.plugins_manager", "airflow.triggers.base")


def test_only_one_room_knows_what_airflow_does_not_promise_to_keep() -> None:
    private = {
        (room_of(path), name)
        for path in MODULES
        for name in imports(path)
        if name.split(".")[0] == "airflow" and not name.startswith(PUBLIC)
    }
    assert {room for room, _ in private} == {"airflow_core"}
    assert sorted({name for _, name in private}) == [
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


STATEMENT = re.compile(r"\b(SELECT\s.*\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|LOCK\s+TABLE)\b", re.DOTALL)
OUR_TABLE = re.compile(r"\b(FROM|INTO|UPDATE|JOIN|TABLE)\s+wolkvox\.")


def texts(path: Path) -> Iterator[str]:
    """The texts in a module's code, each with the parts that are put together."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_sql_is_written_in_the_ledger_and_the_page_and_the_warehouses_in_its_own_room(path: Path) -> None:
    if room_of(path) in ("ledger", "page"):
        return
    forbidden = OUR_TABLE if room_of(path) == "warehouse" else STATEMENT
    assert [text for text in texts(path) if forbidden.search(text)] == []


@pytest.mark.parametrize("room", ["ledger", "page"])
def test_each_statement_that_is_asked_for_has_a_file_and_each_file_is_asked_for(room: str) -> None:
    code = "".join(path.read_text() for path in sorted((PACKAGE / room).glob("*.py")))
    named = set(re.findall(r"""\bsql\(['"](\w+)['"]\)""", code))
    assert len(named) > 5
    assert named == {path.stem for path in (PACKAGE / room / "sql").glob("*.sql")}


MOST_LINES = 40  # of a function, its docstring aside
LONG = {  # functions that may be longer, each with its reason
    "page/evidence.as_pdf": "a document from its top to its bottom",
    "page/reading.know": "a figure of the first screen a line",
    "page/timeline._describe": "an event a line",
    "tasks/stage.stage_run": "the steps of the task, in their order",
    "tasks/verdict.add_up": "the steps of the task, in their order",
}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a module, with its lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0]
            docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if ast.get_docstring(node) else 0
            yield f"{name_of(path)}.{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1 - docstring


def test_a_function_fits_on_a_screen() -> None:
    long = {name for path in MODULES for name, lines in functions(path) if lines > MOST_LINES}
    assert long <= LONG.keys(), "shorten them, or say why not"
