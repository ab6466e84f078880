"""One customer on the page: a time line, evidence and a run, without the id in any address."""

from __future__ import annotations

import json
import time
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest
from airflow_server import DIALLED, SCRIPTED
from page_reader import audited, search, speak
from playwright.sync_api import expect

from local.settings import LOGIN, databases
from local.stack import DAG

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)


@pytest.mark.parametrize(
    ("language", "sent", "pdf"),
    [
        ("en", "sent to wolkvox, which answered", "Evidence as PDF"),
        ("es", "enviado a wolkvox, que respondió", "Constancia en PDF"),
    ],
)
def test_a_customers_time_line_and_its_evidence_without_the_id_in_any_address(
    page: Page, airflow: Airflow, language: str, sent: str, pdf: str
) -> None:
    speak(page, language)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(f"{airflow.url}/plugin/wolkvox")
    frame = page.frame_locator("iframe")
    search(frame, SCRIPTED)
    expect(frame.locator("#found")).to_contain_text("•••002")
    expect(frame.locator(".events li")).to_have_count(3)
    expect(frame.locator(".events li").last).to_contain_text(sent)
    expect(frame.locator(".events q")).to_contain_text("422 · <img src=x")
    expect(frame.locator(".events q")).not_to_contain_text(SCRIPTED)
    with page.expect_download() as download:
        frame.get_by_role("button", name=pdf).click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    with page.expect_download() as download:
        frame.locator("[data-does=csv]").click()
    heading, _, table = download.value.path().read_bytes().partition(b"\r\n\r\n")
    assert sha256(table).hexdigest().encode() in heading
    assert SCRIPTED.encode() not in heading + table
    frame.locator("#customer-full").check()
    search(frame, SCRIPTED)
    expect(frame.locator("#found h3")).to_contain_text(SCRIPTED)
    assert audited(airflow)[0][:2] == ("wolkvox_whole_ids", LOGIN)
    assert not [address for address in addresses if SCRIPTED in address]
    logs = "".join(path.read_text(errors="replace") for path in airflow.stack.logs.glob("*.log"))
    assert len(logs) > 1_000
    assert SCRIPTED not in logs
    assert all(SCRIPTED not in extra for *_, extra in audited(airflow))


LATE_WORDS = """
const ask = window.fetch;
const late = (asked) => new Promise((resolve) => setTimeout(() => resolve(ask(...asked)), 2000));
window.fetch = (...asked) => (String(asked[0]).includes("dictionary.") ? late(asked) : ask(...asked));
"""


def test_a_click_before_the_page_is_ready_is_not_lost(page: Page, airflow: Airflow) -> None:
    page.add_init_script(LATE_WORDS)
    page.goto(f"{airflow.url}/wolkvox/")
    search(page, SCRIPTED)
    expect(page.locator("#found")).to_contain_text("•••002")


def test_dials_of_a_protected_customer_stand_in_the_time_line_with_their_cause(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    search(page, DIALLED)
    expect(page.locator(".events strong")).to_have_text(
        [
            "contacted",
            "dialled by wolkvox",
            "pulled from the warehouse",
            "sent to wolkvox, which answered",
            "dialled by wolkvox",
        ]
    )
    expect(page.locator("#found .soft").first).to_contain_text("not to be dialled before")
    expect(page.locator(".events li").nth(1)).to_contain_text("after a run had pulled that period")
    expect(page.locator(".events li").last).to_contain_text("had been codified, and was dialled all the same")


def test_a_customer_of_whom_nothing_is_known(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    search(page, "nobody")
    expect(page.locator("#found")).to_contain_text("No contact of this customer is in the ledger.")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#found")).to_be_hidden()


def test_a_button_sends_one_customer(page: Page, airflow: Airflow) -> None:
    with psycopg.connect(airflow.stack.uri(databases(demo=True)["warehouse"])) as warehouse:
        warehouse.execute(
            "INSERT INTO contacted_customers (type_campaign, campaign_id, customer_id, cod_act, contacted_at)"
            " SELECT 'preview', '15503', id, 'ACT', now() FROM unnest('{90000000077,90000000078}'::text[]) AS id"
        )
    try:
        page.goto(f"{airflow.url}/wolkvox/?campaign_id=15502")
        page.locator("#rows tbody tr").first.wait_for()
        search(page, "90000000077")
        page.get_by_role("button", name="Send this customer now …").click()
        expect(page.locator("#sending")).to_contain_text("No contact of this customer waits")
        expect(page.locator("#sending")).to_contain_text("names the customer to whoever may read the DAG")
        page.get_by_role("button", name="Send this customer now", exact=True).click()
        expect(page.locator("#sent")).to_contain_text("sends this customer")
        expect(page.locator("#sent").get_by_role("link", name="Open the run")).to_be_visible()
        run_id = page.locator("#sent").inner_text().split()[1]
        ended = time.monotonic() + 240
        while airflow.api().get(f"/dags/{DAG}/dagRuns/{quote(run_id, safe='')}")["state"] not in ("success", "failed"):
            assert time.monotonic() < ended
            time.sleep(0.5)
        assert airflow.rows("SELECT customer_id, state FROM wolkvox.codification WHERE campaign_id = '15503'") == [
            ("90000000077", "coded")
        ]
        event, owner, extra = audited(airflow)[0]
        assert (event, owner, json.loads(extra)) == ("wolkvox_send_customer", LOGIN, {"customer": "•••077"})
    finally:
        for database, statement in (
            ("warehouse", "DELETE FROM contacted_customers WHERE campaign_id = '15503'"),
            ("ledger", "DELETE FROM wolkvox.codification WHERE campaign_id = '15503'"),
            ("ledger", "DELETE FROM wolkvox.ingest_count WHERE records = 1"),
        ):
            with psycopg.connect(airflow.stack.uri(databases(demo=True)[database])) as connection:
                connection.execute(statement.encode())
