"""The page's texts: alike in both languages, in the browser and in the evidence; a sentence for every reason."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from contact_rows import read

from wolkvox.page.dictionary import LANGUAGES, dictionary
from wolkvox.page.files import STATIC, VERSION
from wolkvox.rules.answers import classify
from wolkvox.rules.contacts import COLUMNS

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)

WORDS = f"./static/{VERSION}/texts.js"  # as the page itself imports it
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


def catalogue(language: str) -> dict[str, str | dict[str, str]]:
    """All texts of a language; one that depends on a number has several forms."""
    found: dict[str, str | dict[str, str]] = json.loads(
        (STATIC / f"dictionary.{language}.json").read_text(encoding="utf-8")
    )
    return found


def forms(text: str | dict[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def places(text: str | dict[str, str]) -> set[str]:
    """What is put into a text; a form for one may do without the number."""
    return set(re.findall(r"\{\w+\}", " ".join(forms(text))))


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


def test_both_languages_have_the_same_keys_and_the_same_places_in_their_texts() -> None:
    english, spanish = map(catalogue, LANGUAGES)
    assert english.keys() == spanish.keys()
    for key in english:
        assert places(english[key]) == places(spanish[key]), key
        assert all(form.strip() for form in (*forms(english[key]), *forms(spanish[key]))), key


SOURCES = (*STATIC.glob("*.js"), STATIC / "index.html", *STATIC.parent.glob("*.py"))


def test_every_key_is_used_and_none_is_missing() -> None:
    english = catalogue("en")
    source = "".join(path.read_text(encoding="utf-8") for path in SOURCES if ".min." not in path.name)
    groups = "|".join({key.partition(".")[0] for key in english})
    whole = set(re.findall(rf"""["'`]((?:{groups})\.[\w.]+)["'`]""", source))
    begun = tuple(set(re.findall(rf"""["'`]((?:{groups})\.)[$\"{{]""", source)))
    assert len(whole) > 100
    assert whole - english.keys() == set()
    unasked = {key for key in english if key not in whole and key.removesuffix("_days") not in whole}
    assert {key for key in unasked if not key.startswith(begun)} == set()


# In an API's product a "call" is the telephone's; each of the others has one plain word in its place.
NOT_SAID = {
    "en": r"park(ed|s)?|put off|told|worth|anew|words|turns?|green|red|looks?|moments?|seal(ed|s)?|refus(ed|es)",
    "es": r"turnos?|estacionad[ao]s?|almac[eé]n|cortafuegos|cupos?|retrasos?|valió|verde|rojo|95 de 100|sell(o|ado)s?",
}
TELEPHONE = ("count.calls", "column.calls_prevented", "column.dials", "sensitivity.title")
# Ordinary English, no term: "at the moment", and a token or a login that is refused.
ORDINARY = ("health.outage", "reason.busy", "reason.conflict", "reason.bad_token")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_thing_has_its_one_word(language: str) -> None:
    for key, text in catalogue(language).items():
        for form in forms(text):
            bare = re.sub(r"\{\w+\}", "", form)
            if not key.startswith(ORDINARY):
                assert not re.search(rf"\b({NOT_SAID[language]})\b", bare, re.IGNORECASE), key
            if key not in TELEPHONE:
                assert not re.search(r"\b(calls?|llamadas?)\b", bare, re.IGNORECASE), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_one_plain_sentence(language: str) -> None:
    found = reasons()
    assert len(found) > 60
    for reason in found:
        sentence = dictionary(language).reason(reason)
        assert sentence.endswith("."), reason


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_explains_as_the_evidence_does(page: Page, airflow: Airflow, language: str) -> None:
    page.add_init_script(f"localStorage.setItem('i18nextLng', '{language}')")
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    asked = sorted(reasons())
    said = page.evaluate(
        f"async (reasons) => {{ const words = await import('{WORDS}'); return reasons.map(words.explain); }}",
        asked,
    )
    assert dict(zip(asked, said, strict=True)) == {reason: dictionary(language).reason(reason) for reason in asked}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_browser_counts_as_the_evidence_does(page: Page, airflow: Airflow, language: str) -> None:
    page.add_init_script(f"localStorage.setItem('i18nextLng', '{language}')")
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    counted = [key for key, text in catalogue(language).items() if not isinstance(text, str)]
    asked = [(key, number) for key in counted for number in (0, 1, 2, 5, 11, 21, 101)]
    said = page.evaluate(
        f"async (asked) => {{ const words = await import('{WORDS}');"
        " return asked.map(([key, number]) => words.say(key, { number, timestamp: '{timestamp}' })); }",
        asked,
    )
    assert said == [dictionary(language)(key, number=number) for key, number in asked]
