"""Kubernetes evicts tasks' pods: in their grace they finish the call in flight, by force each leaves one in doubt."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pods
import psycopg
import pytest
import requests
from composed import ROOT, Deployment, deployed, wait_until
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

CONTACTS = 800  # more than runs of every minute can send while the first test takes its time
DAG = "wolkvox_codify"
VALUES = YAML(typ="safe").load(ROOT / "include" / "kubernetes" / "values.yaml")
GRACE = VALUES["workers"]["kubernetes"]["terminationGracePeriodSeconds"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("pods")
    with deployed(folder, CONTACTS, {"pods.py": (ROOT / "tests" / "pods.py").read_text()}, "pods.Pods") as stack:
        yield stack


@pytest.fixture(scope="module")
def admin(stack: Deployment) -> requests.Session:
    admin = stack.admin()
    dag = f"{stack.api}/api/v2/dags/{DAG}"
    wait_until(lambda: admin.get(dag, timeout=30).ok, f"{DAG} was not found")
    admin.patch(dag, json={"is_paused": False}, timeout=30).raise_for_status()
    return admin


def trigger(stack: Deployment, admin: requests.Session) -> None:
    """Start a run over the last two days, which the runs of each minute don't look at."""
    now = datetime.now(timezone.utc)
    window = {"window_start": (now - timedelta(days=2)).isoformat(), "window_end": now.isoformat(), "run_minutes": 1}
    runs = f"{stack.api}/api/v2/dags/{DAG}/dagRuns"
    admin.post(runs, json={"logical_date": None, "conf": window}, timeout=30).raise_for_status()


def states(stack: Deployment) -> dict[str, int]:
    with psycopg.connect(stack.environment("scheduler")["AIRFLOW_CONN_WOLKVOX_LEDGER"]) as ledger:
        return dict(ledger.execute("SELECT state, count(*) FROM wolkvox.codification GROUP BY 1").fetchall())


def stats(stack: Deployment) -> dict[str, Any]:
    return dict(requests.get(f"{stack.sandbox}/stats", timeout=30).json())


def latency(stack: Deployment, seconds: float) -> None:
    requests.put(f"{stack.sandbox}/control", json={"latency": seconds}, timeout=30).raise_for_status()


def evict_both(stack: Deployment, grace: float) -> list[float]:
    """Evict both codify tasks in mid-call; the seconds that each took to end."""
    wait_until(lambda: stats(stack)["in_flight"] == 2, "no two requests are under way")
    both = pods.running(stack.home, "codify")
    assert len(both) == 2
    return [pods.evict(pod, grace) for pod in both]


@pytest.mark.timeout(600)
def test_an_evicted_pod_loses_nothing_and_sends_nothing_twice_if_its_grace_is_heeded(
    stack: Deployment, admin: requests.Session
) -> None:
    latency(stack, 1.0)
    trigger(stack, admin)
    wait_until(lambda: states(stack).get("coded", 0) > 10, "nothing is codified")
    # The hook of an upgrade, beside tasks at work.
    hook = VALUES["migrateDatabaseJob"]["args"]
    subprocess.run(hook, env=stack.environment("init"), cwd=stack.home, check=True, capture_output=True, timeout=120)
    took = evict_both(stack, GRACE)
    assert max(took) < 1.0 + 5 + 5, "told to stop: the call in flight, 5 seconds, and a slow machine"
    sent = states(stack)["coded"]
    wait_until(lambda: states(stack)["coded"] > sent + 10, "the next run does not take up the rest")
    assert set(stats(stack)["calls_per_record"].values()) == {1}


@pytest.mark.timeout(600)
def test_a_pod_that_is_killed_leaves_one_record_in_doubt_and_the_next_run_does_the_rest(
    stack: Deployment, admin: requests.Session
) -> None:
    trigger(stack, admin)
    wait_until(lambda: stats(stack)["in_flight"] == 2, "no two requests are under way")
    latency(stack, 10.0)
    time.sleep(2.0)  # until the requests that were to take a second are over, and others under way
    evict_both(stack, 0.2)
    assert states(stack)["sending"] == 2
    latency(stack, 0.01)
    deadline = time.monotonic() + 240
    while states(stack) != {"coded": CONTACTS}:
        assert time.monotonic() < deadline, states(stack)
        time.sleep(1)
    seen = stats(stack)
    again = [requests for requests in seen["calls_per_record"].values() if requests > 1]
    assert (seen["coded"], len(again) <= 2, max(again, default=1) <= 2) == (CONTACTS, True, True)
    assert seen["peak_in_flight"] <= 2
