"""Under the real scheduler: a whole run of our DAG, and Airflow's own way, a mapped HttpOperator per record."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import accumulate
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks import PROJECT
from benchmarks.balance import TASK_START
from benchmarks.contacts import CAMPAIGN, FILL_WAREHOUSE, FIRST_CUSTOMER
from benchmarks.figure import BrokenMeasurement, Figure
from benchmarks.place import Place
from local.airflow_api import AirflowApi, call
from local.settings import Stack, databases, open_stack
from local.stack import airflow_api, start, stop
from wolkvox.rules.chunks import SLOTS

MOVE = "UPDATE contacted_customers SET campaign_id = %s WHERE customer_id >= %s"
SCATTER = "UPDATE contacted_customers SET campaign_id = (customer_id::bigint %% %s + 1)::text"
LATENCIES = (0.05, 0.02)  # seconds a call
UNEVEN = (0.59, 0.3, 0.09, 0.015, 0.005)  # shares of the records that five campaigns have
WARM_UP = 10  # records of a first run: an api-server spends three seconds on the first task after its own start
TIMEOUT = 900.0  # seconds a run may take
MANY = ((1, 0.7), (5, 0.85))  # contacts in each of a thousand campaigns, and the share of the ceiling to reach
LOOK = 2.0  # seconds between two looks at it: each costs the api-server that the tasks talk to


def measure(place: Place) -> list[Figure]:
    """From the trigger to success, as Airflow's own clock has it."""
    records, mapped = place.pick(4_000, 400), place.pick(250, 10)
    with _stack(place, mapped) as stack:
        api = airflow_api(stack)
        _whole_run(stack, api, [WARM_UP], LATENCIES[-1])
        runs = [
            (latency, _whole_run(stack, api, [records], latency), _run(stack, api, "mapped_http", {}, mapped, latency))
            for latency in LATENCIES
        ]
        uneven = _whole_run(stack, api, [round(2 * records * share) for share in UNEVEN], LATENCIES[0])
        many = [(each, _many(stack, api, each * place.pick(1_000, 50), place.pick(1_000, 50))) for each, _ in MANY]
        idle = _idle(stack, api)
    latency, whole, _ = runs[0]
    ideal = records * latency / 2
    return [
        Figure(
            "N x latency / 2 over the time of a whole DAG run",
            ideal / whole["seconds"],
            "",
            0.88,
            details={"records": records, "ideal_seconds": ideal, **whole},
        ),
        *(_compared(latency, records, whole, mapped, per_record) for latency, whole, per_record in runs),
        _balance(uneven),
        *(
            Figure(
                f"1,000 campaigns x {each}, 50 ms: N x latency / 2 over the time of a whole run",
                run["ideal"] / run["seconds"],
                "",
                reach,
                details=run,
            )
            for (each, reach), (_, run) in zip(MANY, many, strict=True)
        ),
        idle,
    ]


def _many(stack: Stack, api: AirflowApi, records: int, campaigns: int) -> dict[str, Any]:
    """A whole run over many small campaigns."""
    now = datetime.now(timezone.utc)
    with psycopg.connect(stack.uri(databases(demo=False)["warehouse"])) as warehouse:
        warehouse.execute("TRUNCATE contacted_customers")
        warehouse.execute(FILL_WAREHOUSE.encode(), (now, records))
        warehouse.execute(SCATTER.encode(), (campaigns,))
    run = _run(stack, api, "wolkvox_codify", _window(now), records, LATENCIES[0])
    return {**run, "records": records, "campaigns": campaigns, "ideal": records * LATENCIES[0] / 2}


def _idle(stack: Stack, api: AirflowApi) -> Figure:
    """The processor time of a run that finds nothing: that of its tasks' processes."""
    with psycopg.connect(stack.uri(databases(demo=False)["warehouse"])) as warehouse:
        warehouse.execute("TRUNCATE contacted_customers")
    with psycopg.connect(stack.uri(databases(demo=False)["ledger"])) as ledger:
        ledger.execute("UPDATE wolkvox.codification SET state = 'expired', settled_at = now() WHERE state = 'pending'")
    before = _processor_seconds(stack)
    run = _run(stack, api, "wolkvox_codify", _window(datetime.now(timezone.utc)), 0, LATENCIES[0])
    used = _processor_seconds(stack) - before
    requests = call(f"{stack.sandbox_url}/stats")["quota_used"]
    if requests:
        raise BrokenMeasurement(f"an idle run made {requests} requests")
    return Figure(
        "an idle run: processor time of its tasks", used, "s", 3, at_most=True, details={"requests": requests, **run}
    )


def _processor_seconds(stack: Stack) -> float:
    """What the scheduler's finished children, the tasks, have used so far."""
    for process in psutil.process_iter(["cmdline", "environ"]):
        if "scheduler" in (process.info["cmdline"] or []) and str(stack.root) in str(process.info["environ"]):
            times = [each.cpu_times() for each in [process, *process.children(recursive=True)]]
            return float(sum(each.children_user + each.children_system for each in times))
    raise BrokenMeasurement("the scheduler is gone")


def _window(now: datetime) -> dict[str, Any]:
    return {
        "window_start": (now - timedelta(hours=1)).isoformat(),
        "window_end": (now + timedelta(hours=1)).isoformat(),
        "run_minutes": 60,
    }


def _balance(run: dict[str, Any]) -> Figure:
    """From the first chunk's start to the last one's end, less one task start, over half of all chunks' time."""
    chunks = [task for task in run["tasks"] if task["task"] == "codify"]
    makespan = max(chunk["end"] for chunk in chunks) - min(chunk["start"] for chunk in chunks)
    half = sum(chunk["end"] - chunk["start"] for chunk in chunks) / SLOTS
    return Figure(
        "balance: five uneven campaigns under the scheduler over half of their tasks' time",
        (makespan - TASK_START) / half,
        "times",
        1.02,
        at_most=True,
        details={"makespan": makespan, "task_start": TASK_START, **run},
    )


def _compared(latency: float, records: int, whole: dict[str, Any], mapped: int, per_record: dict[str, Any]) -> Figure:
    ours, theirs = records / whole["seconds"], mapped / per_record["seconds"]
    return Figure(
        f"records a second over a mapped HttpOperator's, {1000 * latency:.0f} ms",
        ours / theirs,
        "times",
        30,
        details={
            "ceiling": 2 / latency / theirs,
            "mapped_records": mapped,
            "mapped_seconds": per_record["seconds"],
            "mapped_records_per_second": theirs,
            "mapped_connections": per_record["connections"],
            "our_records_per_second": ours,
        },
    )


@contextmanager
def _stack(place: Place, mapped: int) -> Iterator[Stack]:
    """The embedded stack in a folder of its own, with both DAGs."""
    root = place.home / "stack"
    bundle = "airflow.dag_processing.bundles.local.LocalDagBundle"
    # Without its trigger: a run by event would take a part of the records that are measured.
    ours = copy_project(place, "scheduled", "default:\n  wake: off\n")
    folders = {"dags-folder": ours / "dags", "benchmarks": PROJECT / "benchmarks" / "dags"}
    bundles = [{"name": name, "classpath": bundle, "kwargs": {"path": str(path)}} for name, path in folders.items()]
    caller = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
    }
    os.environ["MAPPED_RECORDS"] = str(mapped)  # the DAG processor and the tasks get it from supervisord
    stack = open_stack(root, caller)
    connection = {
        "conn_type": "http",
        "host": stack.sandbox_url,
        "extra": {"wolkvox-token": stack.secrets.sandbox_token},
    }
    try:
        yield start(root, caller | {"AIRFLOW_CONN_MAPPED_HTTP": json.dumps(connection)})
    finally:
        stop(root)


def copy_project(place: Place, name: str, operations: str) -> Path:
    """The project's DAGs and queries in a folder of their own, with these operations; the usual ones when empty."""
    project = place.home / f"{name}-project"
    for folder in ("dags", "include/sql"):
        shutil.copytree(PROJECT / folder, project / folder)
    if operations:
        (project / "include" / "operations.yaml").write_text(operations)
    return project


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _whole_run(stack: Stack, api: AirflowApi, campaigns: Sequence[int], latency: float) -> dict[str, Any]:
    """Our DAG on new contacts of the last hour, so many in each campaign."""
    records, now = sum(campaigns), datetime.now(timezone.utc)
    with psycopg.connect(stack.uri(databases(demo=False)["warehouse"])) as warehouse:
        warehouse.execute("TRUNCATE contacted_customers")
        warehouse.execute(FILL_WAREHOUSE.encode(), (now, records))
        for number, first in enumerate(accumulate(campaigns[:-1]), 1):
            warehouse.execute(MOVE, (str(int(CAMPAIGN[1]) + number), str(FIRST_CUSTOMER + first)))
    return _run(stack, api, "wolkvox_codify", _window(now), records, latency)


def _run(stack: Stack, api: AirflowApi, dag: str, conf: dict[str, Any], records: int, latency: float) -> dict[str, Any]:
    """Trigger a run, wait for its success, and see that each record was coded once."""
    call(f"{stack.sandbox_url}/reset", "POST")
    with psycopg.connect(stack.uri(databases(demo=False)["ledger"])) as ledger:
        ledger.execute("TRUNCATE wolkvox.quota")  # as on another day: all runs together make more requests than one has
    call(f"{stack.sandbox_url}/control", "PUT", {"latency": latency})
    triggered = datetime.now(timezone.utc)
    run_id = f"bench__{triggered:%Y%m%dT%H%M%S}"
    body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
    api.send("POST", f"/dags/{dag}/dagRuns", body)
    deadline = time.monotonic() + TIMEOUT
    while (run := api.get(f"/dags/{dag}/dagRuns/{run_id}"))["state"] not in ("success", "failed"):
        if time.monotonic() > deadline:
            raise BrokenMeasurement(f"{dag} is {run['state']} after {TIMEOUT:.0f} s")
        time.sleep(LOOK)
    stats = call(f"{stack.sandbox_url}/stats")
    if run["state"] != "success" or not stats["coded"] == stats["codify_calls"] == records:
        raise BrokenMeasurement(f"{dag} ended as {run['state']} with {stats['coded']} of {records} records coded")
    ended = datetime.fromisoformat(run["end_date"].replace("Z", "+00:00"))
    return {
        "seconds": (ended - triggered).total_seconds(),
        "connections": stats["connections"],
        "tasks": _tasks(api, dag, run_id, triggered),
    }


def _tasks(api: AirflowApi, dag: str, run_id: str, triggered: datetime) -> list[dict[str, Any]]:
    """When each of the first twenty tasks ran, in seconds after the trigger."""
    found = api.get(f"/dags/{dag}/dagRuns/{run_id}/taskInstances?limit=20&order_by=start_date")["task_instances"]
    moments = {"start": "start_date", "end": "end_date"}
    return [
        {
            "task": task["task_id"],
            **{name: _after(task[column], triggered) for name, column in moments.items()},
        }
        for task in found
    ]


def _after(moment: str | None, start: datetime) -> float | None:
    if moment is None:  # skipped: a run that finds nothing has no chunk
        return None
    return (datetime.fromisoformat(moment.replace("Z", "+00:00")) - start).total_seconds()
