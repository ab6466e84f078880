"""The page's lists of records: the latest first, page by page, whichever filters are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
from conftest import Database

from wolkvox.ledger.connection import LedgerConnection
from wolkvox.page.queries import Filter, Record, every_row, newest, rows
from wolkvox.rules.states import UNSETTLED, State

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def put(ledger: Database, minutes: float, state: str = "coded", **columns: Any) -> int:
    """A record of a contact so many minutes ago, which came in at once; its id."""
    moment = NOW - timedelta(minutes=minutes)
    row = {
        "contact_key": uuid4(),
        "operation": "0041",
        "type_campaign": "preview",
        "campaign_id": "17",
        "customer_id": "1001",
        "contacted_at": moment,
        "staged_at": moment,
        "settled_at": None if state in UNSETTLED else moment,
        "state": state,
        **columns,
    }
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    return int(
        ledger.value(f"INSERT INTO wolkvox.codification ({names}) VALUES ({places}) RETURNING id", *row.values())
    )


@pytest.fixture
def connection(ledger: Database) -> Iterator[LedgerConnection]:
    with LedgerConnection.connect(ledger.uri, autocommit=True) as connection, connection.transaction():
        yield connection


def ids(records: list[Record]) -> list[int]:
    return [record.id for record in records]


def paged(connection: LedgerConnection, wanted: Filter, size: int) -> list[int]:
    """All that fits, page by page."""
    found: list[int] = []
    while page := rows(connection, "0041", wanted, limit=size, before=found[-1] if found else None):
        found += ids(page)
    return found


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_page_by_page_every_record_comes_once_and_the_latest_first(
    ledger: Database, connection: LedgerConnection, size: int
) -> None:
    put_in = [put(ledger, 7 * n % 60, list(State)[n % len(State)]) for n in range(40)]
    put(ledger, 5, operation="other")
    order = "SELECT id FROM wolkvox.codification WHERE operation = '0041' ORDER BY contacted_at DESC, id DESC"
    expected = [id_ for (id_,) in ledger.rows(order)]
    assert sorted(expected) == put_in
    assert paged(connection, Filter(), size) == expected
    assert ids(list(every_row(connection, "0041", Filter(), at_once=size, limit=100))) == expected


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(campaign_id="18"), "campaign_id = '18'"),
        (Filter(campaign_id="18", states=(State.FAILED,)), "campaign_id = '18' AND state = 'failed'"),
        (Filter(states=UNSETTLED), "state IN ('pending', 'sending')"),
        (Filter(reason="refused_422"), "reason = 'refused_422'"),
        (Filter(type_campaign="predictive", reason="newer"), "type_campaign = 'predictive' AND reason = 'newer'"),
        (Filter(run="run 2"), "dag_run_id = 'run 2'"),
        (Filter(run="run 3", chunk=1), "dag_run_id = 'run 3' AND chunk_number = 1 AND chunk_id IS NOT NULL"),
        (
            Filter(since=NOW - timedelta(minutes=30), until=NOW - timedelta(minutes=10)),
            f"contacted_at >= '{NOW}'::timestamptz - interval '30 minutes'"
            f" AND contacted_at < '{NOW}'::timestamptz - interval '10 minutes'",
        ),
    ],
    ids=[
        "a campaign",
        "a state of a campaign",
        "what waits",
        "a reason",
        "a reason of a type",
        "a run",
        "a chunk",
        "some minutes",
    ],
)
def test_a_list_is_what_fits_and_nothing_else(
    ledger: Database, connection: LedgerConnection, wanted: Filter, fits: str
) -> None:
    for n in range(120):
        put(
            ledger,
            n % 50,
            list(State)[n % len(State)],
            campaign_id=("17", "18", "19")[n % 3],
            type_campaign=("preview", "predictive")[n % 2],
            reason=(None, "refused_422", "newer")[n // 8 % 3],
            dag_run_id=f"run {n % 4}",
            chunk_id=None if n % 5 else "a",
            chunk_number=n % 2,
        )
    expected = [
        id_
        for (id_,) in ledger.rows(
            f"SELECT id FROM wolkvox.codification WHERE {fits} ORDER BY contacted_at DESC, id DESC"
        )
    ]
    assert expected
    assert paged(connection, wanted, 4) == expected


def test_a_row_without_a_date_or_with_one_of_the_future_is_of_the_day_it_came_in(
    ledger: Database, connection: LedgerConnection
) -> None:
    late = put(ledger, 10)
    without = put(ledger, 5, "invalid", contacted_at=None, type_campaign=None)
    future = put(ledger, 3, contacted_at=NOW + timedelta(days=9_000))
    assert paged(connection, Filter(), 2) == [future, without, late]
    lately = Filter(since=NOW - timedelta(minutes=6), until=NOW)
    assert paged(connection, lately, 9) == [future, without]


def test_customers_who_were_dialled_are_listed_by_when_and_why(ledger: Database, connection: LedgerConnection) -> None:
    dial = "INSERT INTO wolkvox.dial (codification_id, dialled_at, breach) VALUES (%s, %s, %s)"
    after, before, failed, _ = put(ledger, 30), put(ledger, 20), put(ledger, 10, "failed"), put(ledger, 5)
    ledger.execute(dial, after, NOW - timedelta(minutes=1), "vendor")
    ledger.execute(dial, after, NOW, "vendor")
    ledger.execute(dial, before, NOW - timedelta(minutes=25), "lag")
    ledger.execute(dial, failed, NOW, "lag")
    for dialled, found in (("after", [after]), ("before", [before]), ("lag", [failed, before]), ("quota", [])):
        assert paged(connection, Filter(dialled=dialled), 1) == found
    assert paged(connection, Filter(dialled="lag", states=(State.FAILED,)), 9) == [failed]
    (one,) = rows(connection, "0041", Filter(dialled="after"), limit=9)
    assert (one.dialled_at, one.breach) == (NOW, "vendor"), "when it was dialled last, and why"
    (any_,) = rows(connection, "0041", Filter(states=(State.FAILED,)), limit=9)
    assert (any_.dialled_at, any_.breach) == (None, None)


def test_a_list_goes_on_nowhere_once_its_last_record_is_deleted(ledger: Database, connection: LedgerConnection) -> None:
    put(ledger, 30)
    assert rows(connection, "0041", Filter(), limit=9, before=99) == []


def test_a_long_list_is_read_as_it_is_taken(ledger: Database, connection: LedgerConnection) -> None:
    for n in range(30):
        put(ledger, n)
    assert len(list(islice(every_row(connection, "0041", Filter(), at_once=2, limit=30), 11))) == 11
    assert len(list(every_row(connection, "0041", Filter(), at_once=2, limit=11))) == 11


def test_a_long_list_is_looked_for_once_and_is_as_it_was_then(ledger: Database, connection: LedgerConnection) -> None:
    for n in range(6):
        put(ledger, n, "pending")
    listed = every_row(connection, "0041", Filter(), at_once=2, limit=30)
    next(listed)
    put(ledger, 9, "pending")
    assert len(list(listed)) == 5


def test_the_newest_contact_of_a_small_operation_is_found_beside_a_large_one(
    ledger: Database, connection: LedgerConnection
) -> None:
    assert newest(connection, "small") is None
    put(ledger, 3, operation="small")
    for n in range(2_001):
        put(ledger, n / 1_000, campaign_id="99")
    assert newest(connection, "small") == NOW - timedelta(minutes=3)


@pytest.mark.parametrize("state", [state for state in State if state != State.INVALID])
def test_the_newest_contact_is_found_in_every_state(ledger: Database, connection: LedgerConnection, state: str) -> None:
    for other in State:
        put(ledger, 9, other)
    put(ledger, 2, state)
    put(ledger, 1, "invalid")
    put(ledger, 0, state, contacted_at=NOW + timedelta(days=1))
    assert newest(connection, "0041") == NOW - timedelta(minutes=2)


def test_the_newest_contact_is_the_last_that_was_made_not_the_last_that_came_in(
    ledger: Database, connection: LedgerConnection
) -> None:
    put(ledger, 2)
    put(ledger, 500, staged_at=NOW, settled_at=NOW)
    assert newest(connection, "0041") == NOW - timedelta(minutes=2)
