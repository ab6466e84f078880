"""What was measured, to be looked at: on the terminal, in results.json, in the docs."""

from __future__ import annotations

import json
from typing import Any

from rich.table import Table

from benchmarks import PROJECT
from benchmarks.figure import Figure

RESULTS = PROJECT / "benchmarks" / "results.json"
PAGE = PROJECT / "docs" / "performance.md"
BEGIN, END = "<!-- figures: written by make bench -->\n", "<!-- end of figures -->\n"


def table(figures: list[Figure]) -> Table:
    """Figure, value, goal."""
    shown = Table("figure", "measured", "to reach", "")
    for figure in figures:
        row = _row(_content(figure))
        shown.add_row(*row[:3], "[red]no[/]" if figure.reached is False else row[3])
    return shown


def keep(machine: dict[str, object], figures: list[Figure]) -> None:
    """Write results.json, and the table of the docs from it."""
    content = {"machine": machine, "figures": [_content(figure) for figure in figures]}
    RESULTS.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    PAGE.write_text(f"{before}{BEGIN}{markdown(content)}{after}")


def markdown(content: dict[str, Any]) -> str:
    """The table of a results.json, and the machine it came from."""
    machine = content["machine"]
    rows = [("figure", "measured", "to reach", "reached"), ("---",) * 4, *map(_row, content["figures"])]
    return (
        f"Measured on {machine['measured_at']}: {machine['cores']} cores, {machine['ram_gib']} GiB,"
        f" {machine['system']}, Python {machine['python']}, PostgreSQL {machine['postgresql']}.\n\n"
        + "".join(f"| {' | '.join(row)} |\n" for row in rows)
        + "\n"
    )


def _row(figure: dict[str, Any]) -> tuple[str, str, str, str]:
    goal = "" if figure["reach"] is None else f"{'≤' if figure['at_most'] else '≥'} {figure['reach']:g}"
    met = {None: "", True: "yes", False: "no"}[figure["reached"]]
    return figure["figure"], f"{figure['value']:.4g} {figure['unit']}".strip(), goal, met


def _content(figure: Figure) -> dict[str, Any]:
    content: dict[str, Any] = _rounded(
        {
            "figure": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "reach": figure.reach,
            "at_most": figure.at_most,
            "reached": figure.reached,
            "details": figure.details,
        }
    )
    return content


def _rounded(value: Any) -> Any:
    """Four digits are more than the measurement has."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value
