"""Several operations on one page: whoever may read their DAGs switches between them, and nobody else sees them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from page_reader import search
from playwright.sync_api import expect

from local.settings import databases
from local.stack import DAG

if TYPE_CHECKING:
    from airflow_server import Airflow, Logins
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)

SALES = "wolkvox_codify_sales"
FROM_THE_PAGE = {"X-Wolkvox": "page"}
KNOWN_FOR = 3.5  # seconds that what was read is shown to others


@pytest.fixture(scope="module")
def sales(airflow: Airflow) -> Iterator[Airflow]:
    """A second operation that has coded three contacts, of whom one was a customer of the first one too."""
    with psycopg.connect(airflow.stack.uri(databases(demo=True)["ledger"]), autocommit=True) as ledger:
        ledger.execute(
            "INSERT INTO wolkvox.dag (dag_id, operation, wolkvox_conn_id) VALUES (%s, 'sales', 'wolkvox_default')",
            (SALES,),
        )
        ledger.execute(
            "INSERT INTO wolkvox.run (operation, dag_id, dag_run_id, state, ended_at, window_start, window_end)"
            " VALUES ('sales', %s, 'of sales', 'success', now(), now(), now())",
            (SALES,),
        )
        ledger.execute(
            "INSERT INTO wolkvox.codification (contact_key, operation, type_campaign, campaign_id, customer_id,"
            " cod_act, contacted_at, state, settled_at, attempts, dag_id, dag_run_id)"
            " SELECT gen_random_uuid(), 'sales',"
            " 'preview', '15509', (10000000000 + n)::text, 'ACT', now(), 'coded', now(), 1, %s, 'of sales'"
            " FROM generate_series(1, 3) AS n",
            (SALES,),
        )
        time.sleep(KNOWN_FOR)
        yield airflow
        for table in ("dag", "run", "codification", "ingest_count"):
            ledger.execute(f"DELETE FROM wolkvox.{table} WHERE operation = 'sales'".encode())
    time.sleep(KNOWN_FOR)


def test_the_switch_shows_another_operation_and_every_link_stays_with_it(page: Page, sales: Airflow) -> None:
    page.goto(f"{sales.url}/wolkvox/")
    expect(page.locator("#operation")).to_contain_text("Operation 0041")
    expect(page.locator("#operations option")).to_have_text(["0041", "sales"])
    page.get_by_label("Show operation").select_option("sales")
    expect(page.locator("#operation")).to_contain_text("Operation sales")
    assert page.url.endswith("?operation=sales")
    expect(page.locator("#tiles")).to_contain_text("Coded today3")
    expect(page.locator("#campaigns tbody tr")).to_have_count(1)
    page.locator("#campaigns tbody td.number a").click()
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    for name in ("csv", "xlsx"):
        assert "operation=sales" in (page.locator(f"#{name}").get_attribute("href") or "")
    page.get_by_role("link", name="← All figures").first.click()
    expect(page.locator("#operation")).to_contain_text("Operation sales")
    page.locator("#all-runs").click()
    expect(page.locator("#history-runs tbody tr")).to_have_count(1)
    page.get_by_label("Show operation").select_option("0041")
    expect(page.locator("#history-runs tbody tr")).not_to_have_count(0)
    expect(page.locator("#history-runs")).not_to_contain_text("of sales")


def test_a_customer_is_looked_for_in_the_operation_on_screen(page: Page, sales: Airflow) -> None:
    for operation, found in (("sales", "15509"), ("0041", "15501")):
        page.goto(f"{sales.url}/wolkvox/?operation={operation}")
        search(page, "10000000001")
        expect(page.locator("#found li h4")).to_have_count(1)
        expect(page.locator("#found li h4")).to_contain_text(found)


def test_a_dags_tab_and_a_tasks_link_show_their_own_operation_without_a_switch(page: Page, sales: Airflow) -> None:
    page.goto(f"{sales.url}/wolkvox/?tab={SALES}")
    expect(page.locator("#operation")).to_contain_text("Operation sales")
    expect(page.locator("#switch")).to_be_hidden()
    page.locator("#campaigns tbody td a").first.click()
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    page.goto(f"{sales.url}/wolkvox/?run=of+sales&dag={SALES}")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    page.get_by_role("link", name="← All figures").first.click()
    expect(page.locator("#operation")).to_contain_text("Operation sales")


def test_a_login_that_may_read_one_dag_sees_its_operation_and_hears_of_no_other(sales: Airflow, logins: Logins) -> None:
    with logins.session("seller") as seller:
        shown = seller.get(f"{logins.url}/wolkvox/overview", timeout=30).json()
        assert (shown["operation"], shown["today"]["coded"]) == ("sales", 3)
        assert "operations" not in shown
        assert not re.search("0041|15501", str(shown["campaigns"]))
        for asked in ("operation=0041", "operation=none"):
            for path in ("overview", "rows", "rows.csv", "rows.xlsx", "runs"):
                assert seller.get(f"{logins.url}/wolkvox/{path}?{asked}", timeout=30).status_code == 403
            answer = seller.post(
                f"{logins.url}/wolkvox/customer?{asked}", json={"customer_id": "1"}, headers=FROM_THE_PAGE, timeout=30
            )
            assert answer.status_code == 403
        # The tab of a DAG that the login may not read is refused; a filter by it finds nothing.
        for tab in (DAG, "wolkvox_retention", "no_such_dag"):
            assert seller.get(f"{logins.url}/wolkvox/overview?tab={tab}", timeout=30).status_code == 403
        rows = seller.get(f"{logins.url}/wolkvox/rows?dag={DAG}", timeout=30).json()
        assert rows["rows"] == []


def test_a_reader_of_all_is_offered_all(sales: Airflow, logins: Logins) -> None:
    with logins.session("reader") as reader:
        assert reader.get(f"{logins.url}/wolkvox/overview", timeout=30).json()["operations"] == ["0041", "sales"]
        answer = reader.get(f"{logins.url}/wolkvox/rows?operation=sales", timeout=30).json()
        assert (answer["operation"], len(answer["rows"])) == ("sales", 3)


def test_a_slot_of_the_shared_token_does_not_tell_who_else_has_it(sales: Airflow, logins: Logins) -> None:
    with logins.session("seller") as seller, logins.session("reader") as reader:
        mine = seller.get(f"{logins.url}/wolkvox/overview", timeout=30)
        all_ = reader.get(f"{logins.url}/wolkvox/overview?operation=sales", timeout=30).json()["slots"]
    used = [slot for slot in all_ if "run" in slot]
    assert used, "the run of the first operation had a slot"
    assert {slot["dag"] for slot in used} == {DAG}
    others = [slot for slot in mine.json()["slots"] if slot["number"] in {one["number"] for one in used}]
    assert [sorted(slot) for slot in others] == [["held", "number", "of_another", "since"]] * len(used)
    assert not [slot["run"] for slot in used if slot["run"] in mine.text]
    assert used[0]["host"] not in str(mine.json()["slots"])
