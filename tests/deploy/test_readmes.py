"""Both READMEs are short, and say the same commands; the guides in Spanish name what the page and the alerts say."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGLISH, SPANISH = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.es.md"))
SUPERVISOR, GUIDE, GUIDE_IN_SPANISH = (
    (ROOT / "docs" / name).read_text(encoding="utf-8")
    for name in ("supervisor.es.md", "operating.md", "operating.es.md")
)


def commands(text: str) -> list[str]:
    """Blocks that somebody runs in a shell."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return [re.sub(r"\s+", " ", block).strip() for block in blocks]


def links(text: str) -> set[str]:
    """Files of the project that a text leads to, its other language aside."""
    return set(re.findall(r"\]\(((?!http|README)[^)#]+)", text))


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(ENGLISH.splitlines()) <= 150
    assert len(ENGLISH.encode()) <= 10_000
    assert len(SPANISH.splitlines()) <= 80


def test_the_commands_exist_in_both_languages() -> None:
    assert commands(SPANISH) == commands(ENGLISH)
    assert len(commands(ENGLISH)) >= 3


def test_the_links_exist_in_both_languages() -> None:
    own = {"docs/operating.es.md", "docs/supervisor.es.md", "docs/pictures/phone.png"}
    assert own <= links(SPANISH)
    assert links(SPANISH) - own <= links(ENGLISH)


def test_the_minimal_dag_is_the_shortest_example() -> None:
    example = (ROOT / "example_dags" / "wolkvox_from_a_query.py").read_text()
    (block,) = re.findall(r"^```python\n(.*?)^```", ENGLISH, re.DOTALL | re.MULTILINE)
    assert block in example


def test_the_supervisors_guide_names_what_the_page_says() -> None:
    texts = json.loads((ROOT / "plugins/wolkvox/page/static/dictionary.es.json").read_text(encoding="utf-8"))
    table = SUPERVISOR.partition("\n## Las cifras\n")[2].partition("\n## ")[0]
    figures = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)[1:]
    assert len(figures) == 9
    said = {str(text).replace("{target}", "6 min") for text in texts.values()}
    assert set(figures) <= said
    for key in ("customer.pdf", "customer.send", "customer.title", "records.xlsx", "ages.title", "runs.title"):
        assert texts[key] in SUPERVISOR


def test_the_operating_guide_has_every_alert_in_both_languages() -> None:
    rules = ROOT / "plugins" / "wolkvox" / "rules"
    alerts = set(re.findall(r'^        "(\w+)": ', (rules / "alerts.py").read_text(), re.MULTILINE))
    complaints = re.findall(
        r'^        "(\w+)": f?["(]|sentences\["(\w+)"\]', (rules / "verdict.py").read_text(), re.MULTILINE
    )
    alerts |= {f"red:{one or other}" for one, other in complaints}
    alerts |= {"outage", "suspended:…", "late"}
    assert len(alerts) >= 14
    first_cells = [re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE) for text in (GUIDE, GUIDE_IN_SPANISH)]
    named = [re.findall(r"`([^`]+)`", " ".join(cells)) for cells in first_cells]
    assert named[0] == named[1]
    assert alerts <= set(named[0]), alerts - set(named[0])
