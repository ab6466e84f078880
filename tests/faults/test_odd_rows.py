"""Odd rows, from the warehouse to the dialler: comments keep nobody out, and ids of nobody cost no request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from conftest import Database
from contact_rows import row
from crew import ZONE, Crew, connect, task
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.rules.options import read_options
from wolkvox.rules.window import Window
from wolkvox.tasks.stage import Source, stage_run


class Unprintable:
    """Something a driver might give that can't even be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


COMMENTS: dict[str, tuple[object, str | None]] = {
    "quotes and backslashes": ('"\'\\\\\\"\\u0041\\n\r\n', '"\'\\\\\\"\\u0041\\n\r\n'),
    "html": ("<script>alert(1)</script>&amp;<!--", "<script>alert(1)</script>&amp;<!--"),
    "sql and templates": ("'; DROP TABLE x; -- {{ 7*7 }} ${x} %s %(y)s", "'; DROP TABLE x; -- {{ 7*7 }} ${x} %s %(y)s"),
    "a family": ("👨‍👩‍👧‍👦 ok", "👨‍👩‍👧‍👦 ok"),
    "right to left": ("\u202eabc\u202c \u0627\u0644\u0639", "\u202eabc\u202c \u0627\u0644\u0639"),
    "stacked accents": ("Z" + "\u0301" * 300, "Z" + "\u0301" * 300),
    "half a pair at the cut": ("x" * 4_999 + "\ud83d\udc4d", "x" * 4_999 + "\N{REPLACEMENT CHARACTER}"),
    "half a pair alone": ("\udc00", "\N{REPLACEMENT CHARACTER}"),
    "no characters": ("\ufffe\uffff\U0010ffff", "\ufffe\uffff\U0010ffff"),
    "line separators": ("a\u2028b\u2029c", "a\u2028b\u2029c"),
    "nulls only": ("\x00\x00", "  "),
    "blanks only": (" \t\n ", " \t\n "),
    "empty": ("", ""),
    "a byte order mark": ("\ufeffhola", "\ufeffhola"),
    "bytes of UTF-16": ("hola".encode("utf-16"), "ÿþh o l a "),
    "bytes of an image": (bytes(range(256)), None),
    "a number": (Decimal("-0.50"), "-0.50"),
    "infinity": (float("inf"), "inf"),
    "a time": (datetime(2026, 3, 2, tzinfo=timezone.utc), "2026-03-02 00:00:00+00:00"),
    "an id": (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    "true": (True, "True"),
    "a document": ({"text": "hola"}, None),
    "a list": (["hola"], None),
    "what can't be shown": (Unprintable(), None),
    "all control characters": ("".join(map(chr, range(32))), None),
    "an emoji cut": ("👍" * 5_001, "👍" * 5_000),
}


def staged(rows: Sequence[Sequence[Any]], placeholders: Collection[str] = ()) -> Any:
    now = datetime.now(timezone.utc)
    source = Source(rows, ZONE, timedelta(days=31), 3_600.0, placeholders=placeholders)
    with WolkvoxHook() as wolkvox:
        window = Window(now - timedelta(days=1), now)
        return stage_run(task("run"), wolkvox, source, window, read_options({}, ZONE), 1_000)


def test_whatever_stands_in_a_comment_the_customer_is_codified(
    ledger: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    now = datetime.now(timezone.utc)
    names = list(COMMENTS)
    rows = [
        row(customer_id=f"C{place}", comment=COMMENTS[name][0], contacted_at=now) for place, name in enumerate(names)
    ]
    chunks, counts = staged(rows)
    assert (counts["new"], counts["invalid"]) == (len(COMMENTS), 0)
    for chunk in chunks:
        crew.codify(chunk).tally()
    assert ledger.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY 1") == [("coded", len(COMMENTS))]
    assert sandbox.stats()["codify_calls"] == len(COMMENTS)
    kept = dict(ledger.rows("SELECT customer_id, comment FROM wolkvox.codification"))
    for place, name in enumerate(names):
        wanted = COMMENTS[name][1]
        if wanted is not None or not isinstance(COMMENTS[name][0], (str, bytes)):
            assert kept[f"C{place}"] == wanted, name


IDS = {
    "222222222222": "customer_id_placeholder",
    "SIN CEDULA": "customer_id_placeholder",
    "sin carnét": "customer_id_placeholder",
    "=“#REF!”": "customer_id_not_an_id",
    "#N/D": "customer_id_not_an_id",
    "28/11/2026": "customer_id_not_an_id",
    '="1023456789"': None,
    "'1023456790": None,
    '"1023456791"': None,
    "1111111111": None,
}


def test_nobodys_ids_cost_no_request_and_quoted_ones_are_sent_without_their_quotes(
    ledger: Database, sandbox: SandboxServer, crew: Crew
) -> None:
    connect(sandbox, preflight=False)
    now = datetime.now(timezone.utc)
    chunks, _ = staged([row(customer_id=text, contacted_at=now) for text in IDS], {"sincarnet"})
    for chunk in chunks:
        crew.codify(chunk).tally()
    assert sorted(ledger.rows("SELECT reason, count(*) FROM wolkvox.codification GROUP BY 1"), key=str) == [
        ("customer_id_not_an_id", 3),
        ("customer_id_placeholder", 3),
        (None, 4),
    ]
    assert set(sandbox.stats()["calls_per_record"]) == {
        f"preview/17/{text}" for text in ("1023456789", "1023456790", "1023456791", "1111111111")
    }
