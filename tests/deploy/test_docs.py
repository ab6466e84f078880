"""Every link of the docs leads somewhere, every page is found from the front page, and one thing has one word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONT = "docs/index.md"
MADE = "docs/ledger.md"  # from the database's own comments
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
}
ENGLISH = [name for name in PAGES if not name.endswith(".es.md") and name not in (MADE, "docs/glossary.md")]
SPANISH = [name for name in PAGES if name.endswith(".es.md")]

# Words that the glossary replaced, as they would stand in a sentence.
REPLACED = {
    "a moment in time": r"\bmoments?\b",
    "again": r"\banew\b",
    "notified, said": r"\btold\b",
    "suspended": r"\b(un)?park(ed|s|ing)?\b",
    "deferred": r"\bputs? off\b",
    "retry policy, time-out": r"\bpatience\b",
    "digest": r"\bseal(s|ed|ing)?\b",
    "impact": r"\bworth of\b",
    "request": r"\bAPI requests?\b|\bcalls? (to|of) (the API|wolkvox)\b|\bcalls (today|left)\b",
    "calls prevented": r"\bcalls calls_prevented\b",
    "round-robin": r"\b(deals?|dealt|cards)\b",
}
REPLACED_IN_SPANISH = {
    "conexión simultánea": r"\bturnos?\b",
    "impacto": r"\blo que valió\b",
    "en pausa automática": r"\bestacionad[oa]s?\b",
    "bodega de datos": r"\balmac[eé]n de datos\b",
    "cuota": r"\bcupos?\b",
    "demora": r"\bretrasos?\b",
    "firewall": r"\bcortafuegos\b",
    "exitosa, fallida": r"\ben (verde|rojo)\b",
    "se detectan como perdidas": r"\bse echan de menos\b",
    "identificación del cliente": r"\bid del cliente\b",
    "el 95 %": r"\b95 de (cada )?100\b",
}


def prose(text: str) -> str:
    """The sentences: without blocks of code, names in code style and targets of links."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "", text))


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


def test_the_site_has_every_page_in_its_contents() -> None:
    contents = "".join(re.findall(r"```\{toctree\}(.*?)```", PAGES[FRONT], re.DOTALL))
    listed = re.findall(r"^[\w./-]+$", contents, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert {(ROOT / "docs" / f"{name}.md").resolve() for name in listed} == {
        (ROOT / page).resolve() for page in PAGES if page != FRONT
    }


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
    places = (ROOT, ROOT / "plugins" / "wolkvox")
    pages = {page: text for page, text in PAGES.items() if page != "CHANGELOG.md"}  # which names what is gone
    for page, text in pages.items():
        spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ *(make .*?)(?: *#.*)?$", text, re.MULTILINE)
        for target in (name for span in spans for name in re.findall(r"^make (?:-s )?([a-z-]+)", span)):
            assert target in targets, f"{page}: make {target}"
        for path in (span for span in spans if re.fullmatch(r"(\w+/)+([\w.-]+\.\w+)?", span)):
            made = path.startswith(("dist/", "sql/"))  # by `make`, or below include/
            assert made or any((place / path).exists() for place in places), f"{page}: {path}"


def replaced(text: str, words: dict[str, str]) -> dict[str, list[str]]:
    """Old words of a text's sentences, by what to write instead."""
    sentences = prose(text)
    found = {instead: [hit.group() for hit in re.finditer(old, sentences, re.I)] for instead, old in words.items()}
    return {instead: hits for instead, hits in found.items() if hits}


@pytest.mark.parametrize("page", ENGLISH)
def test_english_has_the_glossarys_words(page: str) -> None:
    assert replaced(PAGES[page], REPLACED) == {}


@pytest.mark.parametrize("page", SPANISH)
def test_spanish_has_the_glossarys_words(page: str) -> None:
    assert replaced(PAGES[page], REPLACED_IN_SPANISH) == {}
