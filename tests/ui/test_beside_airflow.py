"""The page beside Airflow's own API, which lives in the same process: no session is left, no thread is held."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zipfile import ZipFile

import psycopg
import pytest
import requests

from local.settings import databases

if TYPE_CHECKING:
    from airflow_server import Airflow, Logins

pytest_plugins = ("airflow_server",)

ROWS = 100_000
MANY = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, state, reason, response_msg, staged_at,
    contacted_at, settled_at, dag_id, dag_run_id, chunk_id, chunk_number, attempts
)
SELECT gen_random_uuid(), '0041', 'preview', '15504', (70000000000 + n)::text, '5', 'superseded', 'newer_contact',
    'customer_id ' || 70000000000 + n || ' has been coded', now() - interval '60 days', now() - interval '60 days',
    now() - interval '60 days', 'wolkvox_codify', 'scheduled__2026-01-01T00:00:00+00:00', 'x', 1, 1
FROM generate_series(1, %s::integer) AS n
"""
SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type = 'client backend'
"""


@contextmanager
def ledger_of(airflow: Airflow) -> Iterator[psycopg.Connection]:
    """A session of the ledger."""
    with psycopg.connect(airflow.stack.uri(databases(demo=True)["ledger"]), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def many(airflow: Airflow) -> Iterator[None]:
    """A campaign of a hundred thousand records, for these tests only."""
    with ledger_of(airflow) as ledger:
        ledger.execute(MANY, (ROWS,))
        yield
        ledger.execute("DELETE FROM wolkvox.codification WHERE campaign_id = '15504'")


def sessions(ledger: psycopg.Connection) -> int:
    """Other sessions that are in a transaction."""
    row = ledger.execute(SESSIONS).fetchone()
    assert row is not None
    return int(row[0])


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether it becomes so in time."""
    ended = time.monotonic() + seconds
    while not true():
        if time.monotonic() > ended:
            return False
        time.sleep(0.2)
    return True


@pytest.mark.parametrize("file", ["rows.csv?", "rows.csv?language=es&", "rows.xlsx?language=es&"])
def test_a_download_holds_every_row_in_a_few_seconds(logins: Logins, many: None, file: str) -> None:
    with logins.session("reader") as reader:
        reader.headers["Accept-Encoding"] = "identity"
        began = time.monotonic()
        answer = reader.get(f"{logins.url}/wolkvox/{file}campaign_id=15504", timeout=120)
        seconds = time.monotonic() - began
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert _rows(answer.content) == ROWS + 1
    assert seconds < 20  # 3 on a machine that does nothing else


def _rows(file: bytes) -> int:
    """The rows of a CSV file or of a workbook, its heads among them."""
    if not file.startswith(b"PK"):
        return file.count(b"\r\n")
    with ZipFile(BytesIO(file)) as parts:
        return parts.read("xl/worksheets/sheet1.xml").count(b"<row ")


def test_a_download_that_nobody_reads_holds_no_session(airflow: Airflow, logins: Logins, many: None) -> None:
    """Sixty of them begun, a little read of each, and left there; then closed."""
    place = urlsplit(logins.url)
    assert place.port is not None
    with logins.session("reader") as reader:
        authorization = reader.headers["Authorization"]
    asked = (
        "GET /wolkvox/rows.csv?campaign_id=15504&state=superseded HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {authorization!s}\r\nConnection: close\r\n\r\n"
    )
    lines = []
    for _ in range(60):
        line = socket.create_connection(("127.0.0.1", place.port), timeout=60)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        line.sendall(asked.encode())
        lines.append(line)
    with ledger_of(airflow) as ledger:
        # Who gets no turn in time is told so, on a busy machine.
        assert any(line.recv(64).startswith(b"HTTP/1.1 200") for line in lines[:10])
        for line in lines[10:]:
            line.close()

        def no_session_for_three_seconds() -> bool:
            for _ in range(30):
                if sessions(ledger):
                    return False
                time.sleep(0.1)
            return True

        assert within(90, no_session_for_three_seconds), "with ten clients that read nothing"
        for line in lines[:10]:
            line.close()


def test_airflows_own_api_answers_while_the_page_waits_for_a_locked_table(airflow: Airflow, logins: Logins) -> None:
    with logins.session("reader") as reader, ledger_of(airflow) as ledger, ledger.transaction():
        own = f"{logins.url}/api/v2/dags"

        def asks(address: str) -> tuple[int, float]:
            began = time.monotonic()
            status = requests.get(address, headers=dict(reader.headers), timeout=120).status_code
            return status, time.monotonic() - began

        idle = median(asks(own)[1] for _ in range(5))
        ledger.execute("LOCK TABLE wolkvox.codification")
        with ThreadPoolExecutor(45) as readers:
            page = [
                readers.submit(
                    asks, f"{logins.url}/wolkvox/rows?campaign_id={n}" if n % 2 else f"{logins.url}/wolkvox/overview"
                )
                for n in range(45)
            ]
            time.sleep(1.0)
            busy = [asks(own) for _ in range(5)]
            answers = [one.result() for one in page]
    assert {status for status, _ in busy} == {200}
    assert median(seconds for _, seconds in busy) < 1.0 + 3 * idle
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 60


def test_the_overview_is_read_once_for_all_who_ask_at_the_same_time(airflow: Airflow, logins: Logins) -> None:
    with logins.session("reader") as reader, ledger_of(airflow) as ledger:
        asked = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"

        def transactions() -> int:
            time.sleep(1.5)  # PostgreSQL counts a session's transactions when it ends, or every second
            ledger.execute("SELECT pg_stat_clear_snapshot()")
            row = ledger.execute(asked).fetchone()
            assert row is not None
            return int(row[0])

        def read(_: int) -> int:
            return requests.get(f"{logins.url}/wolkvox/overview", headers=dict(reader.headers), timeout=60).status_code

        read(0)
        time.sleep(3.5)
        before = transactions()
        with ThreadPoolExecutor(20) as readers:
            assert set(readers.map(read, range(20))) == {200}
        assert transactions() - before < 20
