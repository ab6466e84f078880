"""Rows that no warehouse should hold, through the real warehouse, stage, ledger, loop and server."""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from conftest import Database
from crew import AT_ONCE, SQL, connect, stage, states, task
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox_server import SandboxServer

from wolkvox.hook import WolkvoxHook
from wolkvox.operators.metrics import ChunkMetrics
from wolkvox.tasks.chunk import codify_chunk

EXAMPLES, ROWS = 15, 20
NOW = datetime.now(timezone.utc)

UGLY = [
    "'; DROP TABLE wolkvox.codification; --",
    "1 OR 1=1",
    "%s %(name)s {0} {{ params }} $1",
    "x\r\nwolkvox-token: stolen\r\n\r\n",
    "17&api=delete&campaign_id=18#",
    "../../../etc/passwd",
    '"}, {"customer_id": "2"',
    "\x00".join("ab").replace("\x00", "\x01"),
    "\u202e\u200b\ufeff",
    "👩‍👩‍👧‍👦" * 30,
    "٣٤٥",
    " ",
    "",
    "NULL",
    "nan",
    "007",
    "-0",
    "1e5",
]
# PostgreSQL's text takes neither NUL nor half a surrogate pair.
ANY_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=120)
GARBAGE = st.none() | st.sampled_from(UGLY) | ANY_TEXT


# The time zone's edges, the calendar's, and what is no date at all.
DATES = [
    "0001-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
    "2026-03-08 02:30:00",
    "2026-11-01 01:30:00-05",
]
NO_DATES = ["2026-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "infinity", "yesterday"]
BEYOND_PYTHON = ["infinity", "-infinity", "4713-01-01 00:00:00 BC", "294276-01-01"]

Row = tuple[str | None, ...]


def contacts(dates: st.SearchStrategy[str | None]) -> st.SearchStrategy[list[Row]]:
    """Rows of which most fields are as they should be, and any of them may be garbage."""
    sound = st.tuples(
        st.sampled_from(["preview", "predictive", " Preview "]),
        st.sampled_from(["17", "18"]),
        st.integers(1, 10**9).map(str) | st.sampled_from(["0001", "A-7 ñ"]),
        st.sampled_from(["5", "ABC"]),
        st.none() | st.just("7"),
        st.none() | st.just("by chat") | st.just("x" * 5_001),
        st.integers(0, 10**6).map(lambda seconds: str(NOW - timedelta(seconds=seconds))),
    )
    flaws = st.dictionaries(st.integers(0, 5), GARBAGE, max_size=2)
    row = st.tuples(sound, flaws, st.none() | st.tuples(dates)).map(spoil)
    return st.lists(row, min_size=ROWS, max_size=ROWS)


def spoil(drawn: tuple[Row, dict[int, str | None], Row | None]) -> Row:
    """The sound row with its flaws."""
    row, flaws, date = drawn
    return (*(flaws.get(place, value) for place, value in enumerate(row[:6])), date[0] if date else row[6])


NOTHING_LOST = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def run(sql: str) -> dict[str, Any]:
    """A whole run, chunk after chunk; the counts of staging."""
    chunks, counts = stage(sql=sql)
    for chunk in chunks:
        with WolkvoxHook() as wolkvox:
            codify_chunk(task(retry_policy=AT_ONCE), wolkvox, chunk, ChunkMetrics(chunk.operation))
    return counts


def bare(text: str) -> str:
    """A text without what nobody sees at its ends."""
    seen = [place for place, character in enumerate(text) if unicodedata.category(character)[0] not in "ZC"]
    return text[seen[0] : seen[-1] + 1] if seen else ""


def check(counts: dict[str, Any], rows: Sequence[Row], ledger: Database, server: SandboxServer) -> None:
    ended = states(ledger)
    assert set(ended) <= {"coded", "superseded", "invalid", "expired"}
    assert counts["pulled"] == counts["new"] + counts["invalid"] + counts["known"]
    assert sum(ended.values()) == counts["new"] + counts["invalid"]
    assert ended.get("invalid", 0) == counts["invalid"]
    assert ledger.value("SELECT count(*) FROM wolkvox.codification WHERE state = 'invalid' AND reason IS NULL") == 0
    stats = server.stats()
    assert stats["codify_calls"] == stats["coded"] == ended.get("coded", 0)
    assert set(stats["calls_by_status"]) <= {"202"}
    given_customers = {bare(row[2]) for row in rows if row[2] is not None}
    for record in stats["calls_per_record"]:
        type_campaign, campaign, customer = record.split("/", 2)
        assert type_campaign in ("preview", "predictive")
        assert campaign.isascii()
        assert campaign.isdigit()
        assert bare(customer) == customer in given_customers
        assert customer.casefold() not in ("nan", "null", "none")
        assert not any(character.isdigit() and not character.isascii() for character in customer)
        assert customer.strip()
        assert all(character >= " " for character in customer)


def test_rows_of_garbage_are_sent_or_named_and_nothing_breaks(
    ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    seen = 0

    @NOTHING_LOST
    @given(
        contacts(st.none() | st.sampled_from([*DATES, *BEYOND_PYTHON])),
        contacts(st.sampled_from([*DATES, *NO_DATES]) | GARBAGE),
    )
    def garbage(rows: list[Row], texts: list[Row]) -> None:
        nonlocal seen
        for sql, table, contents in (
            (SQL, "contacted_customers", rows),
            ("SELECT * FROM texts", "texts", texts),
        ):
            sandbox.reset()
            sandbox.control(latency=0.0)
            ledger.execute("TRUNCATE wolkvox.codification, wolkvox.quota CASCADE")
            warehouse.execute(f"TRUNCATE {table}")
            with warehouse.connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s, %s, %s, %s, %s)".encode(), contents)
            check(run(sql), contents, ledger, sandbox)
            seen += len(contents)

    connect(sandbox, preflight=False)
    warehouse.execute("CREATE TABLE texts AS SELECT * FROM contacted_customers")
    warehouse.execute("ALTER TABLE texts ALTER contacted_at TYPE text")
    garbage()
    assert seen == 2 * EXAMPLES * ROWS >= 300


@pytest.mark.parametrize(
    ("comment", "kept"),
    [
        ("repeat('ñ', 5000)", "ñ" * 5_000),
        ("repeat('ñ', 10000000)", "ñ" * 5_000),
        (r"E'first line\x0Bsecond\x1B[0m'", "first line\nsecond [0m"),
    ],
    ids=["as long as may be", "ten million characters", "pasted from Word and a terminal"],
)
def test_whatever_its_comment_the_customer_is_codified(
    comment: str, kept: str, ledger: Database, warehouse: Database, sandbox: SandboxServer
) -> None:
    connect(sandbox, preflight=False)
    warehouse.execute(
        f"INSERT INTO contacted_customers VALUES ('preview', '17', '1001', '5', NULL, {comment}, %s)", NOW
    )
    run(SQL)
    assert ledger.rows("SELECT state, reason, comment FROM wolkvox.codification") == [("coded", None, kept)]
    assert sandbox.stats()["codify_calls"] == 1


# Values of the types that drivers give

TYPES: dict[str, Callable[[int], object]] = {
    "text": lambda n: f"C-{n}",
    "a whole number": lambda n: n,
    "a float": float,
    "a decimal": lambda n: Decimal(n).quantize(Decimal("0.00")),
    "a uuid": lambda n: UUID(int=n),
    "bytes": lambda n: str(n).encode(),
    "text with marks": lambda n: f"\u200e{n}\u200b\xa0",
    "a number's bytes": lambda n: bytearray(str(n), "ascii"),
    "a part of a number": lambda n: n + 0.5,
    "a date": lambda n: NOW.date(),
    "a moment": lambda n: NOW,
    "truth": lambda n: n % 2 == 0,
    "nothing": lambda n: None,
    "not a number": lambda n: float("nan"),
    "no number at all": lambda n: Decimal("sNaN"),
    "endless": lambda n: float("inf"),
    "a very long number": lambda n: 10 ** (4_300 + n % 10),
    "rubbish bytes": lambda n: b"\xff\xfe" + str(n).encode(),
    "a list": lambda n: [n],
    "an object": lambda n: {"id": n},
    "message for nothing": lambda n: ("NULL", "nan", "None", "<NA>", "#N/A")[n % 5],
    "a spreadsheet's number": lambda n: f"{n % 9 + 1}.{n}E+09",
    "a spreadsheet's text": lambda n: f"{n}.0",
    "digits of elsewhere": lambda n: str(n).translate({48 + digit: 0xFF10 + digit for digit in range(10)}),
    "a broken half of a letter": lambda n: f"{n}\ud800",
    "an interval": lambda n: timedelta(n),
    "a complex number": lambda n: complex(n),
}
IDS = ("text", "a whole number", "a float", "a decimal", "a uuid", "bytes", "text with marks", "a number's bytes")


def test_ten_thousand_rows_of_all_drivers_types_stop_no_run_and_are_all_accounted_for(
    ledger: Database, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every type in every column, the other columns sound."""
    connect(sandbox, preflight=False)
    sandbox.control(latency=0.0)
    rows, sendable = [], 0
    for number in range(10_800):
        name = list(TYPES)[number % len(TYPES)]
        place = number // len(TYPES) % 7
        row: list[object] = ["preview", "17", f"sound-{number}", "5", None, None, NOW - timedelta(seconds=number)]
        row[place] = TYPES[name](number + 10_000)
        rows.append(row)
        sendable += place == 2 and name in IDS
    monkeypatch.setattr("crew.contacted_customers", lambda *_: iter(rows))
    counts = run(SQL)
    assert (counts["pulled"], counts["new"] + counts["invalid"] + counts["known"]) == (10_800, 10_800)
    assert sum(states(ledger).values()) == counts["new"] + counts["invalid"]
    sent = {record.split("/", 2)[2] for record in sandbox.stats()["calls_per_record"]}
    odd = [customer for customer in sent if not customer.startswith("sound-")]
    assert len(odd) == sendable
    assert all(customer.removeprefix("C-").replace("-", "").isalnum() and customer.isascii() for customer in odd)
    assert set(sandbox.stats()["calls_per_record"].values()) == {1}
    assert states(ledger).keys() <= {"coded", "invalid", "superseded", "expired"}
    reasons = {reason for (reason,) in ledger.rows("SELECT reason FROM wolkvox.codification WHERE state = 'invalid'")}
    assert all(reason is not None and reason.replace("_", "").isalnum() for reason in reasons)
