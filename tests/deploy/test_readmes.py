"""The README in Spanish tells the same commands, settings and pictures as the English one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH, SPANISH = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.es.md"))
SUPERVISOR = (ROOT / "docs" / "supervisor.es.md").read_text(encoding="utf-8")
KEPT_IN_ENGLISH = "## How fast"  # figures and decisions, to which the Spanish one leads


def commands(text: str) -> list[str]:
    """Blocks of code that somebody runs or copies, and commands within lines, without what only explains them."""
    blocks = re.findall(r"^ *```(?:sh|python)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    inline = re.findall(r"`((?:make|python|pip|airflow|docker|PYTHONPATH=|eval|tail) ?[^`]*)`", text)
    flat = [[re.sub(r"\s+", " ", command).strip() for command in found] for found in (blocks, inline)]
    return flat[0] + sorted(set(flat[1]))


def tables(text: str) -> list[list[str]]:
    """The names in code style that each row of each table begins with."""
    lines = text.splitlines()
    found: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("|"):
            found[-1] += re.findall(r"`[^`]+`", line.split("|")[1])
        elif found[-1]:
            found.append([])
    return [names for names in found if names]


def defaults(text: str) -> dict[str, str]:
    """Settings whose default is a value in code style."""
    rows = re.findall(r"^\| (`[^|]+`) \| (`[^|]+`|[\d.]+) \|", text, re.MULTILINE)
    return dict(rows)


def told(text: str) -> str:
    """What both READMEs tell."""
    return text.partition(KEPT_IN_ENGLISH)[0]


def test_the_commands_are_the_same() -> None:
    assert commands(SPANISH) == commands(told(ENGLISH))
    assert len(commands(SPANISH)) > 10


def test_settings_states_and_troubles_are_the_same() -> None:
    assert tables(SPANISH) == tables(told(ENGLISH))
    assert len(tables(SPANISH)) >= 6
    assert defaults(SPANISH) == defaults(told(ENGLISH))


def test_every_param_of_the_dag_is_in_both() -> None:
    dag = (ROOT / "dags" / "wolkvox_codify.py").read_text()
    params = re.findall(r'^ +"(\w+)": Param\(', dag, re.MULTILINE)
    assert len(params) == 9
    for name in params:
        assert f"`{name}`" in ENGLISH
        assert f"`{name}`" in SPANISH


DOCS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.parametrize("document", ["README.md", "README.es.md", *(f"docs/{name}" for name in DOCS)])
def test_pictures_and_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("https://"):
            assert ((ROOT / document).parent / target).exists(), target


def test_the_supervisors_page_names_what_the_page_says() -> None:
    import json

    words = json.loads((ROOT / "plugins/wolkvox/page/static/words.es.json").read_text(encoding="utf-8"))
    for key in (
        "tile.fresh",
        "tile.waiting",
        "tile.backlog_end",
        "tile.requests",
        "tile.coded",
        "tile.refused",
        "tile.failed",
    ):
        assert f"| {words[key]} |" in SUPERVISOR
    for key in ("customer.pdf", "customer.send", "customer.title", "records.excel", "ages.title", "runs.title"):
        assert words[key] in SUPERVISOR


def test_the_operating_guide_has_every_alert_in_both_languages() -> None:
    rules = ROOT / "plugins" / "wolkvox" / "rules"
    told = set(re.findall(r'^        "(\w+)": ', (rules / "alerts.py").read_text(), re.MULTILINE))
    told |= {f"red:{name}" for name in re.findall(r'found\["(\w+)"\]', (rules / "verdict.py").read_text())}
    told |= {"outage", "parked:…", "late"}
    assert len(told) >= 14
    first_cells = [
        re.findall(r"^\| ([^|]+) \|", DOCS[name], re.MULTILINE) for name in ("operating.md", "operating.es.md")
    ]
    named = [re.findall(r"`([^`]+)`", " ".join(cells)) for cells in first_cells]
    assert named[0] == named[1]
    assert told <= set(named[0]), told - set(named[0])
