"""Retention in a real Airflow: it runs from the start, makes its secret, and an anonymous customer is still found."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psycopg
from page_reader import search
from playwright.sync_api import expect

from local.settings import databases, started_with
from wolkvox.rules.anonymity import anonymous

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)

RETENTION, VARIABLE = "wolkvox_retention", "wolkvox_evidence_secret"


def test_retention_runs_from_the_start_and_whoever_has_an_id_still_finds_the_customer(
    page: Page, airflow: Airflow
) -> None:
    api = airflow.api()
    assert api.get(f"/dags/{RETENTION}")["is_paused"] is False
    api.send("POST", f"/dags/{RETENTION}/dagRuns", {"dag_run_id": "night", "logical_date": None})
    deadline = time.monotonic() + 240
    while (state := api.get(f"/dags/{RETENTION}/dagRuns/night")["state"]) not in ("success", "failed"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert state == "success"
    assert api.get(f"/variables/{VARIABLE}")["key"] == VARIABLE
    api.send("PATCH", f"/variables/{VARIABLE}", {"key": VARIABLE, "value": "of ours"})
    ((operation,),) = airflow.rows("SELECT DISTINCT operation FROM wolkvox.codification")
    with psycopg.connect(airflow.stack.uri(databases(demo=True)["ledger"]), autocommit=True) as ledger:
        ledger.execute(
            "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id, state,"
            " contacted_at, staged_at, settled_at) SELECT gen_random_uuid(), %s, 'preview', '15509', %s, 'coded',"
            " moment, moment, moment FROM (SELECT now() - interval '200 days' AS moment) AS long_ago",
            (operation, anonymous("of ours", operation, "90000000099")),
        )
        try:
            page.goto(f"{airflow.url}/wolkvox/")
            search(page, "90000000099")
            expect(page.locator("#found")).to_contain_text("preview 15509")
            search(page, "90000000098")
            expect(page.locator("#found")).to_contain_text("No contact of this customer is in the ledger.")
        finally:
            ledger.execute("DELETE FROM wolkvox.codification WHERE campaign_id = '15509'")
    environment = {"PATH": os.environ["PATH"], **started_with(airflow.stack.root)}
    done = subprocess.run(
        [sys.executable, "-m", "wolkvox", "verify"], env=environment, capture_output=True, text=True, check=False
    )
    said = "holds another secret than the one that made the digests"  # which the test has put in its place
    assert (done.returncode, said in done.stdout) == (1, True), done.stdout + done.stderr
