"""``python -m wolkvox lint``: check ``operations.yaml`` and the files of protection rules without Airflow."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from wolkvox.dag.operations import deployed_operations, file_of, search_path
from wolkvox.rules.json_schema import operations_schema, protection_schema
from wolkvox.rules.mistakes import Mistake, Unreadable
from wolkvox.rules.protection import read_protection

SCHEMAS = {"operations": operations_schema, "protection": protection_schema}


def run(arguments: Namespace) -> int:
    """Print a kind of file's JSON schema where one is asked for; check the files else. Returns 1 for a mistake."""
    if arguments.schema:
        print(json.dumps(SCHEMAS[arguments.schema](), indent=2))
        return 0
    return lint(Path(arguments.dags or os.environ.get("AIRFLOW__CORE__DAGS_FOLDER") or "dags"))


def lint(dags: Path) -> int:
    """
    Print each mistake with its file and line; return 0 when there is none, else 1.

    :param dags: the folder of the DAG files
    """
    if not dags.is_dir():
        print(f"There is no folder {dags}: name the folder of the DAG files.")
        return 1
    checked = list(_checked(dags))
    for path, mistakes in checked:
        for mistake in mistakes:
            print(f"{path}:{mistake.line}: {mistake.key}{': ' if mistake.key else ''}{mistake.message}")
    wrong = any(mistakes for _, mistakes in checked)
    if not wrong:
        print(f"{len(checked)} files without a mistake: {', '.join(str(path) for path, _ in checked) or 'none there'}.")
    return int(wrong)


def _checked(dags: Path) -> Iterator[tuple[Path, list[Mistake]]]:
    """Each file with its mistakes."""
    if (path := file_of(dags)) is not None:
        yield path, deployed_operations(dags).mistakes
    for folder in search_path(dags):
        for rules in sorted(Path(folder, "protection").glob("*.y*ml")):
            yield rules, _mistakes(rules)


def _mistakes(rules: Path) -> list[Mistake]:
    try:
        read_protection(rules.read_text(encoding="utf-8-sig", errors="replace"))
    except Unreadable as error:
        return list(error.mistakes)
    return []
