"""What whoever asks is answered while the figures can't be read: a sentence in their language, or JSON for the page."""

from __future__ import annotations

import json
import re

import psycopg
import pytest
from coroutines import run
from starlette.requests import Request

from wolkvox.errors import BadSetting, LedgerSlow, LedgerUnavailable, WolkvoxError
from wolkvox.page.app import say_what_is_wrong
from wolkvox.page.dictionary import dictionary


def without_tables() -> LedgerUnavailable:
    error = LedgerUnavailable("relation wolkvox.dag of host db1")
    error.__cause__ = psycopg.errors.UndefinedTable()
    return error


PROBLEMS = {
    "setting": BadSetting("No token in the connection"),
    "empty": without_tables(),
    "slow": LedgerSlow("statement of user alice"),
    "away": LedgerUnavailable("host db1, user alice"),
}


def asked(**headers: str) -> Request:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/rows.xlsx", "query_string": b"", "headers": named})


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(("key", "error"), PROBLEMS.items())
def test_a_person_reads_a_sentence_in_their_language(key: str, error: WolkvoxError, language: str) -> None:
    request = asked(accept="text/html,*/*", accept_language=f"{language}-CO,{language};q=0.9")
    answer = run(say_what_is_wrong(request, error))
    assert (answer.status_code, answer.media_type) == (503, "text/html")
    text = bytes(answer.body).decode()
    said = re.findall(r'<p lang="..">([^<]*)', text)
    assert said[0].replace("&#x27;", "'") == dictionary(language)(f"problem.{key}")
    assert "alice" not in text


@pytest.mark.parametrize(("key", "error"), PROBLEMS.items())
def test_the_page_reads_the_same_sentence_and_its_key(key: str, error: WolkvoxError) -> None:
    answer = run(say_what_is_wrong(asked(accept="*/*"), error))
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["key"], body["problem"]) == (503, key, dictionary("en")(f"problem.{key}"))
    assert ("detail" in body) == (key in ("setting", "empty"))
