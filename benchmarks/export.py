"""The audit of a campaign as large as wolkvox exports one: 200 MB of nearly 60,000 records."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks import workers
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place

MOST = 59_999
FILLED = 3_400  # bytes of a record
FILL = """
INSERT INTO wolkvox.codification (
    contact_key, operation, type_campaign, campaign_id, customer_id, cod_act, contacted_at, state, settled_at, attempts
)
SELECT gen_random_uuid(), '0041', 'preview', '17', (57300000000 + n)::text, 'ACT', now() - interval '1 hour', 'coded',
    now() - interval '30 minutes', 1
FROM generate_series(1, %s) AS n
"""


class _Campaign(BaseHTTPRequestHandler):
    """Streams the export; anything else isn't there."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        head = f'{{"code": "200", "total_records": "{server.records}", "campaign_id": "17", "records": ['
        self.wfile.write(head.encode())
        # Every one was dialled since.
        dialled = f"{datetime.now(ZoneInfo('America/Bogota')) - timedelta(minutes=10):%Y-%m-%d %H:%M:%S}"
        for number in range(1, server.records + 1):
            record = {"id_cliente": str(57_300_000_000 + number), "cod_rslt1": "ACT", "cod_rslt2": ""}
            record |= {"fecha": dialled, "llamadas": "1", "resultado": "NO ANSWER"}
            record["comentarios"] = "x" * (FILLED - 180)
            self.wfile.write((json.dumps(record) + ("," if number < server.records else "")).encode())
        self.wfile.write(b"]}")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def measure(place: Place) -> list[Figure]:
    """Seconds of the comparison, and the memory it takes on top."""
    records = place.pick(MOST, 2_000)
    with place.ledger() as ledger, ThreadingHTTPServer(("127.0.0.1", 0), _Campaign) as server:
        server.daemon_threads = True
        server.records = records  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        connection = {
            "conn_type": "wolkvox",
            "host": f"http://127.0.0.1:{server.server_port}",
            "password": "token",
            "extra": {"wolkvox_server": "0041"},
        }
        os.environ["AIRFLOW_CONN_WOLKVOX_DEFAULT"] = json.dumps(connection)
        ledger.execute(FILL, records)
        outcome = workers.run([workers.module("audit_worker")])
        server.shutdown()
    said = outcome.said[0]
    if said["confirmed"] != records:
        raise BrokenMeasurement(f"{said['confirmed']} of {records} contacts were confirmed")
    if said["impact"]["dialled_after"] != records:
        raise BrokenMeasurement(f"{said['impact']} of {records} dials were noted")
    size = f"{records * FILLED / 2**20:,.0f} MiB"
    return [
        Figure(f"audit: an export of {size} compared", outcome.seconds, "s", 20, at_most=True, details=said),
        Figure(f"audit: memory on top for an export of {size}", said["more_mib"], "MiB", 150, at_most=True),
    ]
