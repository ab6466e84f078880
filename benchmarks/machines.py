"""Two Celery workers beside one machine's scheduler: a whole run, and fresh contacts of two operations at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import requests
from composed import ROOT, Deployment, deployed, state_of, wait_until
from sandbox_server import SandboxServer

from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place

DAGS = {"wolkvox_codify": "7", "wolkvox_codify_north": "8"}  # and their campaigns
OPERATIONS = """
default:
  sql: sql/seven.sql
  schedule: "0 0 1 1 *"
north:
  sql: sql/eight.sql
  schedule: "0 0 1 1 *"
  wolkvox_conn_id: wolkvox_north
  pool: wolkvox_north
"""
LATENCY, SLOW = 0.05, 0.2  # seconds a call: of the whole run, and beside the backlog
STALE = 1_500  # contacts of each operation that wait when the first fresh one comes
FRESH, EVERY, FOR = 5, 20.0, 240.0  # contacts, seconds from insertion to insertion, and seconds in all
TIMEOUT = 900.0  # seconds
CONTACTS = """
INSERT INTO contacted_customers
SELECT 'preview', %s, %s || clock_timestamp() || n, '5', NULL, NULL, now() - %s FROM generate_series(1, %s) AS n
"""
LAGS = """
SELECT extract(epoch FROM settled_at - contacted_at)::float
FROM wolkvox.codification WHERE campaign_id = %s AND customer_id LIKE 'fresh%%' AND state = 'coded' ORDER BY 1
"""


def measure(place: Place) -> list[Figure]:
    """Records a second over two workers over those of one machine, and the lags of two operations."""
    records = place.pick(3_000, 100)
    with _stack(place, records) as stack:
        stack.start("worker", "second worker", "--celery-hostname", "second@%h")
        over_two = _whole_run(stack, records)
        lags = _lags(stack, place)
    with _stack(place, records, "LocalExecutor") as stack:
        at_one = _whole_run(stack, records)
    return [
        Figure(
            "a whole run over two workers over one on one machine: records a second",
            at_one / over_two,
            "times",
            0.9,
            details={"records": records, "seconds_two_workers": over_two, "seconds_one_machine": at_one},
        ),
        *(
            Figure(
                f"lag of two operations at once, {dag}: {STALE:,} stale contacts each at 200 ms, 95th percentile",
                found[len(found) * 95 // 100],
                "s",
                150,
                at_most=True,
                details={"median": found[len(found) // 2], "worst": found[-1], "fresh": len(found)},
            )
            for dag, found in lags.items()
        ),
    ]


@contextmanager
def _stack(place: Place, records: int, executor: str | None = None) -> Iterator[Deployment]:
    """docker-compose.yaml's services with two operations, which run when they are told to."""
    query = (ROOT / "include" / "sql" / "contacted_customers.sql").read_text()
    queries = {
        f"sql/{name}.sql": f"{query}    AND campaign_id = '{campaign}'\n"
        for name, campaign in (("seven", "7"), ("eight", "8"))
    }
    include = {"operations.yaml": OPERATIONS, **queries}
    with TemporaryDirectory(dir=place.home) as folder:
        Path(folder).chmod(0o755)
        with deployed(Path(folder), 2 * records, include, executor) as stack:
            yield stack


def _whole_run(stack: Deployment, records: int) -> float:
    """Seconds from the trigger to the end of a run over all records of one operation, after a small first one."""
    admin = stack.admin()
    dag = next(iter(DAGS))
    _unpause(stack, admin, dag)
    _set(stack.sandbox, LATENCY)
    for limit in (10, records - 10):
        run, began = _trigger(stack, admin, dag, limit=limit, run_minutes=30), datetime.now(timezone.utc)
        _wait(admin, run)
    coded = requests.get(f"{stack.sandbox}/stats", timeout=30).json()["coded"]
    if coded != records:
        raise BrokenMeasurement(f"{coded} of {records} records coded")
    ended = datetime.fromisoformat(admin.get(run, timeout=30).json()["end_date"].replace("Z", "+00:00"))
    return (ended - began).total_seconds()


def _lags(stack: Deployment, place: Place) -> dict[str, list[float]]:
    """Fresh contacts of two operations, each with a token and slots of its own, while their backlogs are sent."""
    stale, seconds = place.pick(STALE, 50), float(place.pick(int(FOR), 40))
    admin = stack.admin()
    with SandboxServer() as north, _database(stack, "warehouse") as warehouse, _database(stack, "ledger") as ledger:
        connection = json.loads(north.connection(licenses=20))
        extra = json.dumps(connection["extra"] | {"wolkvox_server": "0042"})
        body = connection | {"connection_id": "wolkvox_north", "extra": extra}
        admin.post(f"{stack.api}/api/v2/connections", json=body, timeout=30).raise_for_status()
        for address in (stack.sandbox, north.url):
            _set(address, SLOW)
        for dag, campaign in DAGS.items():
            _unpause(stack, admin, dag)
            warehouse.execute(CONTACTS.encode(), (campaign, "stale", timedelta(hours=2), stale))
        began, inserted, running = time.monotonic(), 0, dict.fromkeys(DAGS, "")
        while (now := time.monotonic() - began) < seconds or any(
            len(_of(ledger, campaign)) < inserted for campaign in DAGS.values()
        ):
            if now > TIMEOUT:
                raise BrokenMeasurement("fresh contacts were not coded")
            if EVERY * (inserted / FRESH) < min(now, seconds):
                for campaign in DAGS.values():
                    warehouse.execute(CONTACTS.encode(), (campaign, "fresh", timedelta(0), FRESH))
                inserted += FRESH
            for dag, run in running.items():
                if not run or state_of(admin, run) in ("success", "failed"):
                    running[dag] = _trigger(stack, admin, dag, run_minutes=1)
            time.sleep(1.0)
        for run in running.values():
            _wait(admin, run)
        return {dag: _of(ledger, campaign) for dag, campaign in DAGS.items()}


def _of(ledger: psycopg.Connection[Any], campaign: str) -> list[float]:
    return [lag for (lag,) in ledger.execute(LAGS.encode(), (campaign,)).fetchall()]


def _database(stack: Deployment, name: str) -> psycopg.Connection[Any]:
    """As the superuser, in autocommit mode."""
    warehouse = json.loads(stack.environment("init")["AIRFLOW_CONN_WAREHOUSE"])
    return psycopg.connect(
        host=warehouse["host"],
        port=warehouse["port"],
        user=warehouse["login"],
        password=warehouse["password"],
        dbname=name,
        autocommit=True,
    )


def _unpause(stack: Deployment, admin: requests.Session, dag: str) -> None:
    address = f"{stack.api}/api/v2/dags/{dag}"
    wait_until(lambda: admin.get(address, timeout=30).ok, f"{dag} was not found")
    admin.patch(address, json={"is_paused": False}, timeout=30).raise_for_status()


def _set(sandbox: str, latency: float) -> None:
    requests.put(f"{sandbox}/control", json={"latency": latency}, timeout=30).raise_for_status()


def _trigger(stack: Deployment, admin: requests.Session, dag: str, **params: float) -> str:
    """Start a run over the last two days; its address."""
    now = datetime.now(timezone.utc)
    window = {"window_start": (now - timedelta(days=2)).isoformat(), "window_end": now.isoformat()}
    runs = f"{stack.api}/api/v2/dags/{dag}/dagRuns"
    body = {"dag_run_id": f"bench__{now.isoformat()}", "logical_date": None, "conf": window | params}
    started = admin.post(runs, json=body, timeout=30)
    started.raise_for_status()
    return f"{runs}/{started.json()['dag_run_id']}"


def _wait(admin: requests.Session, run: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while (state := state_of(admin, run)) not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise BrokenMeasurement(f"A run is {state} after {TIMEOUT:.0f} s")
        time.sleep(1.0)
    if state != "success":
        raise BrokenMeasurement("A run failed")
