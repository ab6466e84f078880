"""Every link of the docs leads somewhere, and every page is found from the front page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "plugins" / "wolkvox"
FRONT = "docs/index.md"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
}


def anchors(text: str) -> set[str]:
    """The headings of a page as GitHub and the site make anchors of them."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[tuple[str, str]]:
    """Targets of a page's links within the project: a path, empty for the page itself, and an anchor."""
    return re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for target, anchor in links(PAGES[page]):
        path = ((ROOT / page).parent / target).resolve() if target else ROOT / page
        assert path.is_file(), target
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


def test_every_page_is_one_click_from_the_front_page() -> None:
    found = {((ROOT / FRONT).parent / target).resolve() for target, _ in links(PAGES[FRONT])}
    missing = {page for page in PAGES if page.startswith("docs/") and (ROOT / page).resolve() not in found}
    assert missing == {FRONT}


QUESTIONS = {
    "How do I add a warehouse?": "warehouses.md#add-a-warehouse",
    "Where does a 404 become a rejection?": "answers.md#where-it-is-in-the-code",
    "What is sent while the token is wrong?": "faults.md#a-wrong-token-or-address",
    "How do I change the alert's address?": "alerts.md#who-gets-them",
    "How do I add a state?": "architecture.md#how-to-add",
    "How long are ids kept?": "retention.md#retention-and-evidence",
    "Which tests run against PgBouncer?": "development.md#which-tests-use-which-server",
    "What does a run by event look like?": "when-runs-begin.md#a-run-by-event",
    "How do I read a chunk's tally?": "summary.md#the-tally-of-a-chunk",
    "How do I run it in my own Airflow?": "install.md#as-a-wheel",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_newcomers_question_is_answered_one_click_from_the_front_page(question: str) -> None:
    page, _, heading = QUESTIONS[question].partition("#")
    assert page in {target for target, _ in links(PAGES[FRONT])}
    assert heading in anchors(PAGES[f"docs/{page}"])


def test_the_site_has_every_page_in_its_contents() -> None:
    contents = "".join(re.findall(r"```\{toctree\}(.*?)```", PAGES[FRONT], re.DOTALL))
    listed = re.findall(r"^[\w./-]+$", contents, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert {(ROOT / "docs" / f"{name}.md").resolve() for name in listed} == {
        (ROOT / page).resolve() for page in PAGES if page != FRONT
    }


def test_a_name_is_in_the_file_that_a_page_says() -> None:
    named = [
        (page, name, path)
        for page, text in PAGES.items()
        for name, path in re.findall(r"`(\w+)` (?:in|of) `([\w/]+\.(?:py|js))`", text)
    ]
    assert len(named) > 8
    for page, name, path in named:
        files = [place / path for place in (ROOT, PACKAGE) if (place / path).is_file()]
        assert files, f"{page}: {path}"
        assert re.search(rf"\b{name}\b", files[0].read_text(encoding="utf-8")), f"{page}: {name} in {path}"


def test_every_table_and_metric_that_is_named_exists() -> None:
    versions = (PACKAGE / "ledger" / "migrations" / "versions").glob("*.sql")
    tables = {name for path in versions for name in re.findall(r"CREATE TABLE wolkvox\.(\w+)", path.read_text())}
    metrics = set(re.findall(r"`wolkvox\.(\w+)`", PAGES["docs/metrics.md"]))
    context = {"subject", "text"}  # of a notifier's template
    for page, text in PAGES.items():
        if page not in ("CHANGELOG.md", "docs/ledger.md"):  # which names what is gone, and is made
            names = set(re.findall(r"(?<![/.@\w])wolkvox\.(\w+)", text)) - {"com"}
            modules = {name for name in names if (PACKAGE / name).exists() or (PACKAGE / f"{name}.py").exists()}
            assert names - tables - metrics - modules - context == set(), page


def test_a_decision_is_a_context_a_decision_and_a_consequence_in_eight_lines() -> None:
    decisions = re.split(r"^##+ .*\n", PAGES["docs/decisions.md"], flags=re.MULTILINE)[1:]
    written = [body for body in decisions if body.strip()]
    assert len(written) > 20
    for body in written:
        assert re.findall(r"^- \*\*(\w+):\*\*", body, re.MULTILINE) == ["Context", "Decision", "Consequence"], body
        assert len(body.strip().splitlines()) <= 8, body


@pytest.mark.parametrize("state", ["states", "suspended-campaigns", "circuit-breaker", "alerts"])
def test_what_has_states_has_a_diagram_of_them(state: str) -> None:
    assert "```mermaid\nstateDiagram-v2" in PAGES[f"docs/{state}.md"]


def test_every_make_target_and_every_file_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    places = (ROOT, PACKAGE, ROOT / "include")
    pages = {page: text for page, text in PAGES.items() if page != "CHANGELOG.md"}  # which names what is gone
    for page, text in pages.items():
        spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ *(make .*?)(?: *#.*)?$", text, re.MULTILINE)
        for target in (name for span in spans for name in re.findall(r"^make (?:-s )?([a-z-]+)", span)):
            assert target in targets, f"{page}: make {target}"
        for path in (span for span in spans if re.fullmatch(r"(\w+/)+([\w.-]+\.\w+)?", span)):
            made = path.startswith("dist/")  # by `make`
            assert made or any((place / path).exists() for place in places), f"{page}: {path}"
