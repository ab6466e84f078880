"""The file ``operations.yaml`` beside the DAGs: which operations this installation has."""

from __future__ import annotations

from pathlib import Path

from wolkvox.errors import BadSetting
from wolkvox.rules.mistakes import Mistake
from wolkvox.rules.operation import Operation, usual
from wolkvox.rules.operations import Operations, read_operations

FILE = "operations.yaml"
BUILT_IN = Path(__file__).parents[1] / "include"  # what there is where only DAGs and plugins were deployed

__all__ = ["Operation", "deployed_operations", "query_of", "refuse_mistakes", "search_path"]


def search_path(dags: Path) -> list[str]:
    """Where queries and the file of operations are: ``include/`` beside the DAGs, their folder, or this package."""
    return [str(folder) for folder in (dags.parent / "include", dags, BUILT_IN)]


def deployed_operations(dags: Path) -> Operations:
    """
    The operations, each of them to become a DAG; the default one alone where there is no file.

    :param dags: the folder of the DAG files
    """
    path = file_of(dags)
    if path is None:
        return Operations([usual().model_copy(update={"is_built_in": True})])
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = "a character here isn't UTF-8: save the file with the encoding UTF-8."
        return Operations([], [Mistake(line, (), message)])
    except OSError as error:
        message = f"the file can't be read ({error.strerror}): give Airflow's user the right to."
        return Operations([], [Mistake(1, (), message)])
    return read_operations(text, lambda name: _read(dags, name))


def query_of(operation: Operation, dags: Path) -> str | None:
    """The text of an operation's warehouse query; None where its file was not deployed."""
    return _read(dags, operation.sql)


def file_of(dags: Path, name: str = FILE) -> Path | None:
    """The path of a file in the first folder that has it; None where none has."""
    paths = [Path(folder, name) for folder in search_path(dags)]
    return next(filter(Path.is_file, paths), None)


def _read(dags: Path, name: str) -> str | None:
    path = file_of(dags, name)
    return None if path is None else path.read_text(encoding="utf-8-sig", errors="replace")


def refuse_mistakes(dags: Path) -> None:
    """
    Say all that is wrong in the file.

    :raises BadSetting: one line a mistake: its line in the file, its key, and what to do
    """
    mistakes = deployed_operations(dags).mistakes
    if mistakes:
        raise BadSetting("\n".join([f"{len(mistakes)} in {FILE}:", *map(str, mistakes)]))
