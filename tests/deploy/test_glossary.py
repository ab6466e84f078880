"""One word for one thing: a word that the glossary replaced is in no code, SQL, text of the page, metric or docs."""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "plugins" / "wolkvox"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))

# What to write, and the replaced word in a sentence of a page, a comment, a docstring or a message.
ENGLISH = {
    "timestamp, time": r"\bmoments?\b",
    "again": r"\banew\b",
    "notified, said, reported": r"\b(re)?told\b",
    "message, detail, text": r"\bwords\b",
    "params": r"\bfacts\b",
    "suspended": r"\b(un)?park(ed|s|ing)?\b",
    "deferred": r"\bputs? off\b",
    "retry policy, time-out": r"\bpatience\b",
    "digest": r"\b(un)?seal(s|ed|ing)?\b",
    "impact": r"\bworth of\b|\bwas worth\b",
    "failures in a row": r"\bstreaks?\b",
    "lag sensitivity": r"\bcurve\b",
    "owner": r"\bholders?\b",
    "examine, trial": r"\bprob(e|es|ed|ing)\b",
    "request": r"\b(API requests?|calls?)\b",
    "partition round-robin": r"\b(deals?|dealt|cards|lanes?)\b",
}
SPANISH = {
    "conexión simultánea": r"\bturnos?\b",
    "impacto": r"\blo que valió\b",
    "en pausa automática": r"\bestacionad[oa]s?\b",
    "bodega de datos": r"\balmac[eé]n de datos\b|\bbodega\b(?! de datos)",
    "cuota": r"\bcupos?\b",
    "demora": r"\bretrasos?\b",
    "firewall": r"\bcortafuegos\b",
    "exitosa, fallida": r"\ben (verde|rojo)\b",
    "se detectan como perdidas": r"\bse echan de menos\b",
    "identificación del cliente": r"\bid del cliente\b",
    "el 95 %": r"\b95 de (cada )?100\b",
    "resumen del día": r"\bsell(o|ado|ada)s?\b",
    "caída": r"\binterrupci[oó]n(es)?\b",
}
# The same as a part of a name in Python or SQL: `moment` of `last_moment` and of `LastMoment`.
PARTS = {
    *("moment", "moments", "anew", "told", "words", "facts", "parked", "unpark", "patience", "probe", "probes"),
    *("seal", "seals", "sealed", "unsealed", "worth", "streak", "streaks", "curve", "holder", "avoided", "untake"),
    *("call", "calls", "lane", "lanes"),
}
# Whole names of functions and columns that were replaced, and Python's names that say nothing of their value.
NAMES = {
    *("goes_on", "silent_at", "busy_until", "take_back", "give_back", "put_off", "begin_outage", "end_outage"),
    *("clock", "sure", "exhaust"),
}
VAGUE = {"known", "found", "looked", "shown", "signs", "news", "conditions"}
# Where such a word is right, by the reason. It is taken out before anybody looks for the words above.
RIGHT = {
    "a setting of the connection, which others rely on": r"call_timeout|CALL_TIMEOUT",
    "the sandbox's statistics, which tests read": r"codify_calls|calls_per_record|calls_by_status|\bcalls(?==)",
    "names of functions, of Python and of libraries": r"local\.airflow_api|__call__|call_next|\w*splitLongWords",
    "for mypy": r"type: ignore\[[\w-]+\]",
    "a verb, no term": r"a function call|\bcall it\b|(it|to|who|others|query|hosts) calls?\b|can call this",
    "a column or a count of telephone calls": r"calls_prevented|read_calls|_MOST_CALLS|llamadas|``calls``",
    "calls prevented": r"calls? (that codifying )?prevented|(prevents?|without|of these) calls|calling hours",
    "who makes a telephone call": r"(dialler|wolkvox|sandbox|people)( \w+){0,4} calls?\b|(must not|may) call",
    "of the dialler": r"calls of the dialler|(manual|telephone) calls?|calls (that )?(broke|a shorter)",
    "a number of them": r"(number of|many) calls|about \{[^}]*\} calls|^.calls.$|campaign_id and calls",
    "a contact's channel, and the rule itself": r"sms, call|\[call, visit\]|\*?call\*? is by telephone",
    "ordinary English": r"told to stop|in (its own|other) words|at (the|that|the same) moment",
}
RIGHT_NAMES = {  # by the begin of a path
    "include/local/": {"call"},  # one HTTP request of the local stack's client, which tests and benchmarks use
    "include/sandbox/": {"calls"},  # its statistics, and the telephone's
    "plugins/wolkvox/ledger/sql/audit_by_export": {"calls"},  # an export shows how often a customer was called
    "plugins/wolkvox/ledger/sql/exported": {"calls"},
    "plugins/wolkvox/ledger/staging": {"known"},  # a run's count of rows that were pulled before
    "plugins/wolkvox/page/queries": {"shown"},  # a column of the ledger: the code that an export shows
    "plugins/wolkvox/page/timeline": {"shown"},
    "plugins/wolkvox/page/static/": {"calls"},  # of the dictionary's count.calls
    "plugins/wolkvox/rules/export": {"calls"},
}
WORDS_OF_BEFORE = {  # pages that name what was replaced, or are made
    "docs/glossary.md": "explains the words",
    "CHANGELOG.md": "names what was renamed",
    "docs/ledger.md": "made from the comments of the SQL files",
    "docs/performance.md": "the table is made by `make bench`",
}
TEXTS = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}  # the last: 3.12
KINDS = ("*.py", "*.sql", "*.js")
ROOMS = ("airflow_core", "vendor", "rules", "ledger", "tasks", "page")


def rooms() -> dict[str, list[Path]]:
    """The Python, SQL and JavaScript files of the product by room; `surface` is all else of the package."""
    files: dict[str, list[Path]] = {}
    for top in (PACKAGE, ROOT / "dags", ROOT / "example_dags", ROOT / "include"):
        for path in sorted(path for kind in KINDS for path in top.rglob(kind) if ".min." not in path.name):
            room = path.relative_to(PACKAGE).parts[0] if top == PACKAGE else top.name
            files.setdefault("surface" if top == PACKAGE and room not in ROOMS else room, []).append(path)
    return files


def replaced(text: str, words: Mapping[str, str] = ENGLISH) -> Iterator[str]:
    """The replaced words of sentences, each with what to write instead."""
    for right in RIGHT.values():
        text = re.sub(right, "", text, flags=re.IGNORECASE | re.MULTILINE)
    for instead, word in words.items():
        yield from (f"{hit.group()} → {instead}" for hit in re.finditer(word, text, re.IGNORECASE))


def is_replaced(name: str, names: set[str] = NAMES) -> bool:
    """Whether a name, or a part of it, is a word that the glossary replaced."""
    if any(re.fullmatch(right, name) for right in RIGHT.values()):
        return False
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
    return name.lower().strip("_") in names or not PARTS.isdisjoint(parts)


def right_names(path: Path) -> set[str]:
    """The replaced names that are right in a file."""
    place = path.relative_to(ROOT).as_posix()
    return {name for begin, names in RIGHT_NAMES.items() if place.startswith(begin) for name in names}


def of_python(path: Path) -> Iterator[str]:
    """The replaced words of a module: each name once, and those of its strings and comments."""
    names: dict[str, int] = {}
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.NAME and is_replaced(token.string, NAMES | VAGUE):
            names.setdefault(token.string, token.start[0])
        elif token.type in TEXTS:
            yield from (f"{path.name}:{token.start[0]} {word}" for word in replaced(token.string))
    yield from (f"{path.name}:{line} {name}" for name, line in names.items() if name not in right_names(path))


def of_text(path: Path, comments: str) -> Iterator[str]:
    """The replaced words of SQL or JavaScript: each name once, and those of its strings and comments."""
    text = path.read_text(encoding="utf-8")
    sentences = rf"{comments}.*|'[^'\n]*'|\"[^\"\n]*\"|`[^`]*`"
    names = set(re.findall(r"\w+", re.sub(sentences, "", text)))
    yield from (f"{path.name} {name}" for name in sorted(names - right_names(path)) if is_replaced(name))
    yield from (f"{path.name} {word}" for word in replaced("\n".join(re.findall(sentences, text))))


def of_file(path: Path) -> Iterator[str]:
    """The replaced words of a file."""
    return of_python(path) if path.suffix == ".py" else of_text(path, {".sql": "--", ".js": "//"}[path.suffix])


def prose(text: str) -> str:
    """The sentences of a page: without blocks of code, names in code style and targets of links."""
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "", text)).split())


@pytest.mark.parametrize("room", rooms())
def test_a_room_has_the_glossarys_words(room: str) -> None:
    left = [word for path in rooms()[room] for word in of_file(path)]
    assert left == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_glossarys_words(page: str) -> None:
    sentences = prose((ROOT / page).read_text(encoding="utf-8"))
    words = SPANISH if page.endswith(".es.md") else ENGLISH
    assert page in WORDS_OF_BEFORE or list(replaced(sentences, words)) == []


SETTINGS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "docker-compose.yaml",
        ".env.example",
        "include/*.yaml",
        "include/kubernetes/*",
        "example_dbt/**/*.yml",
    )
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("file", SETTINGS)
def test_a_file_of_settings_has_the_glossarys_words(file: str) -> None:
    assert list(replaced((ROOT / file).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(("language", "words"), [("en", ENGLISH), ("es", SPANISH)])
def test_the_page_in_airflow_has_the_glossarys_words(language: str, words: Mapping[str, str]) -> None:
    texts = json.loads((PACKAGE / "page" / "static" / f"dictionary.{language}.json").read_text(encoding="utf-8"))
    telephone = ("count.calls", "column.dials", "sensitivity.title")
    sentences = {key: re.sub(r"\{\w+\}", "", str(text)) for key, text in texts.items() if key not in telephone}
    assert {key: left for key, text in sentences.items() if (left := list(replaced(text, words)))} == {}
