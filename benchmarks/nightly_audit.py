"""An audit of 100,000 coded contacts in 60 campaigns, in a ledger of 10 million, twice, and the page meanwhile."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ledger_history import fill_history

from benchmarks import workers
from benchmarks.export import FILLED
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Database, Place

CAMPAIGNS = 60
OTHERS = 2  # customers of a campaign for each one that was coded
FIRST_CAMPAIGN = 500
# Of the last month; one in twenty was dialled since, and one in a hundred shows an agent's code.
CODED = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, attempts,
    staged_at, sent_at, settled_at, dag_run_id, protected_until
)
SELECT
    gen_random_uuid(), '0041', 'preview', (%(first)s + n %% %(campaigns)s)::text, (57300000000 + n)::text, 'ACT',
    moment - interval '5 minutes', 'coded', 1, moment - interval '1 minute', moment, moment, 'recent',
    moment + interval '60 days'
FROM generate_series(1, %(rows)s) AS n, LATERAL (SELECT now() - interval '1 day' - n * %(apart)s) AS at (moment)
"""
WRITTEN = """
SELECT n_tup_ins + n_tup_upd + n_tup_del
FROM pg_stat_user_tables
WHERE schemaname = 'wolkvox' AND relname = 'codification'
"""
ASKED = 15


def measure(place: Place) -> list[Figure]:
    """Seconds of the first night and of the second, rows that the second writes, and the page's time meanwhile."""
    history, rows = place.pick(10_000_000, 100_000), place.pick(100_000, 6_000)
    with place.ledger() as ledger, _campaigns(rows) as url:
        extra = {"wolkvox_server": "0041", "licenses": 1_000}
        connection = {"conn_type": "wolkvox", "host": url, "password": "token", "extra": extra}
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = json.dumps(connection)
        _fill(ledger, history, rows)
        usual = median(_page() for _ in range(ASKED))
        first, meanwhile = _night(ledger, rows)
        written = _written(ledger)
        second, again = _night(ledger, rows)
        share = (_written(ledger) - written) / rows
    of = f"{rows:,} contacts, a ledger of {history + rows:,}"
    details = {"usual_ms": usual, "first": first, "second": second}
    return [
        Figure(f"audit: the first night: {of}", first["seconds"], "s", 60, at_most=True, details=details),
        Figure(f"audit: the second night: {of}", second["seconds"], "s", 60, at_most=True),
        Figure("audit: rows that the second night writes", 100 * share, "%", 5, at_most=True),
        Figure("audit: the page meanwhile, first night", meanwhile / usual, "times", 1.5, at_most=True),
        Figure("audit: the page meanwhile, second night", again / usual, "times", 1.5, at_most=True),
    ]


def _fill(ledger: Database, history: int, rows: int) -> None:
    from wolkvox.ledger.figures import count_closed_spans
    from wolkvox.rules.spans import shown_spans

    params = {"first": FIRST_CAMPAIGN, "campaigns": CAMPAIGNS, "rows": rows, "apart": timedelta(days=28) / rows}
    with ledger.connect() as connection:
        fill_history(connection, history)
        connection.execute(CODED.encode(), params)
        connection.execute("VACUUM ANALYZE wolkvox.codification")
        count_closed_spans(connection, "0041", shown_spans(datetime.now(timezone.utc), "America/Bogota"))


def _night(ledger: Database, rows: int) -> tuple[dict[str, Any], float]:
    """What the audit said, with its seconds, and the milliseconds of the page's first screen meanwhile."""
    ended, took = threading.Event(), []

    def look() -> None:
        while not ended.is_set():
            took.append(_page())
            time.sleep(0.2)

    ledger.execute("DELETE FROM wolkvox.export")  # a day later
    looking = threading.Thread(target=look)
    looking.start()
    try:
        outcome = workers.run([workers.module("audit_worker")])
    finally:
        ended.set()
        looking.join()
    said = outcome.said[0]
    judged = said["confirmed"] + said["overtaken"] + said["mismatch"]
    if judged != rows or said["impact"]["dialled_after"] < 0.9 * rows / 20:
        raise BrokenMeasurement(f"of {rows} contacts, {said['confirmed']} are confirmed, and {said['worth']}")
    return {**said, "seconds": outcome.seconds}, median(took)


def _page() -> float:
    """Milliseconds of the first screen."""
    from wolkvox.airflow_core.dags import DagState
    from wolkvox.page.reading import first_screen

    began = time.perf_counter()
    partial(first_screen, airflow=lambda _: DagState(False, None))()
    return (time.perf_counter() - began) * 1_000


def _written(ledger: Database) -> int:
    """Rows of contacts that were written so far; the sessions that did have ended."""
    time.sleep(2)  # PostgreSQL's statistics come in when a session ends
    return int(ledger.value(WRITTEN))


@contextmanager
def _campaigns(rows: int) -> Iterator[str]:
    """The address of a host that gives each campaign's export."""
    exports = {str(FIRST_CAMPAIGN + place): _export(place, rows) for place in range(CAMPAIGNS)}

    class Host(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (campaign,) = parse_qs(urlsplit(self.path).query)["campaign_id"]
            self.send_response(200)
            self.send_header("Content-Length", str(len(exports[campaign])))
            self.end_headers()
            self.wfile.write(exports[campaign])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _export(place: int, rows: int) -> bytes:
    """A campaign's coded customers, and twice as many others, of whom half were dialled."""
    coded = [n for n in range(1, rows + 1) if n % CAMPAIGNS == place]
    records = []
    for n in coded:
        code, calls = "OTHER" if n % 100 == 0 else "ACT", "1" if n % 20 == 0 else "0"
        records.append(_record(57_300_000_000 + n, code, calls))
        records += [_record(57_400_000_000 + OTHERS * n + more, "", str(more)) for more in range(OTHERS)]
    head = {"code": "200", "total_records": str(len(records)), "campaign_id": str(FIRST_CAMPAIGN + place)}
    return json.dumps({**head, "records": records}).encode()


def _record(customer: int, code: str, calls: str) -> dict[str, str]:
    date = f"{datetime.now(timezone.utc) - timedelta(hours=30):%Y-%m-%d %H:%M:%S}" if calls != "0" else ""
    shown = {"id_cliente": str(customer), "cod_rslt1": code, "cod_rslt2": "", "llamadas": calls, "fecha": date}
    result = "ANSWER" if code else "NO ANSWER" if date else "CLEAN"
    return {**shown, "resultado": result, "comentarios": "x" * (FILLED // 10)}
