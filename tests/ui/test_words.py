"""The page's words: alike in both languages, in the browser and in the evidence; a sentence for every reason."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contact_rows import read

from wolkvox.page import words as words_module
from wolkvox.page.words import LANGUAGES, words
from wolkvox.rules.answers import classify
from wolkvox.rules.contacts import COLUMNS

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)

STATIC = Path(words_module.__file__).parent / "static"
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
STRANGE: tuple[Any, ...] = (None, "", "a\x00b", "x" * 6_000, b"\xff", 1.5, [], "---", "1.02E+09", "nan", "1999-01-01")
ELSEWHERE = (
    "newer_contact",
    "cod_act_unknown",
    "unknown_crash",
    "everything_refused",
    *(f"unknown_{how}" for how in ("timeout", "reset", "truncated")),
    *(f"unreachable_{how}" for how in ("refused", "timeout", "tls", "proxy")),
)


def catalogue(language: str) -> dict[str, str]:
    """All texts of a language."""
    found: dict[str, str] = json.loads((STATIC / f"words.{language}.json").read_text(encoding="utf-8"))
    return found


def reasons() -> set[str]:
    """Every reason that an answer, a row of the warehouse or the ledger can give."""
    answered = {
        classify(status, {}, body, NOW).reason
        for status in range(200, 600)
        for body in (b"", b"<html>", b'{"code":"%d","msg":"NO"}' % status, b'{"code":"200","error":"NO"}')
    }
    said = (b"EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS", b"TOKEN LIMIT EXCEEDED", b"VALIDATE TOKEN")
    answered |= {classify(403, {}, b'{"code":"403","msg":"%s"}' % text, NOW).reason for text in said}
    rows = {read(**{column: value}).reason for column in COLUMNS for value in STRANGE}
    rows |= {read(comment=value).reason for value in STRANGE}
    return {reason for reason in (*answered, *rows, *ELSEWHERE) if reason}


def test_both_languages_have_the_same_words_and_the_same_places_in_them() -> None:
    english, spanish = map(catalogue, LANGUAGES)
    assert english.keys() == spanish.keys()
    for key in english:
        assert set(re.findall(r"\{\w+\}", english[key])) == set(re.findall(r"\{\w+\}", spanish[key])), key
        assert english[key].strip()
        assert spanish[key].strip()


def test_the_page_asks_for_no_word_that_is_missing() -> None:
    english = catalogue("en")
    asked = set(re.findall(r'data-words="([^"]+)"', (STATIC / "index.html").read_text()))
    for script in STATIC.glob("*.js"):
        asked |= set(re.findall(r'\bsay\(\s*"([^"]+)"', script.read_text()))
        asked |= set(
            re.findall(
                r'"((?:tile|alive|slots|problem|chart|customer|records|campaigns|reasons)\.\w+)"', script.read_text()
            )
        )
    assert len(asked) > 100
    assert asked - english.keys() == set()
    columns = set(re.findall(r'^ +\["(\w+)", "', (STATIC / "page.js").read_text(), re.MULTILINE)) - {"age"}
    assert {f"column.{name}" for name in columns} - english.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_one_plain_sentence(language: str) -> None:
    found = reasons()
    assert len(found) > 60
    for reason in found:
        sentence = words(language).reason(reason)
        assert sentence.endswith("."), reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_explains_as_the_evidence_does(page: Page, airflow: Airflow, language: str) -> None:
    page.add_init_script(f"localStorage.setItem('i18nextLng', '{language}')")
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    asked = sorted(reasons())
    said = page.evaluate(
        "async (reasons) => { const words = await import('./static/words.js'); return reasons.map(words.explain); }",
        asked,
    )
    assert dict(zip(asked, said, strict=True)) == {reason: words(language).reason(reason) for reason in asked}
