"""The page in a real browser, inside the real Airflow, after a real run."""

from __future__ import annotations

import csv
import json
import re
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import psycopg
import pytest
from airflow_server import REFUSED, SCRIPTED
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from local.settings import LOGIN, databases
from local.stack import DAG

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Browser, Page

pytest_plugins = ("airflow_server",)

# Words of tables, figures and time lines that stand in two lines.
BROKEN_WORDS = """() => {
  const broken = [];
  for (const place of document.querySelectorAll("td, th, dd, dt, h2, h3, h4, .events li, button")) {
    const texts = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const { 0: word, index } of texts.currentNode.data.matchAll(/[^\\s\\-\\u2010\\/]+/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, index);
        range.setEnd(texts.currentNode, index + word.length);
        if (new Set([...range.getClientRects()].map((one) => Math.round(one.top))).size > 1) broken.push(word);
      }
    }
  }
  return broken;
}"""
# Keeps what is written into pictures, and where.
WATCH_CANVAS = """
window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const { a, d, e, f } = this.getTransform();
  const width = this.measureText(text).width * a;
  const left = { left: 0, start: 0, center: width / 2, right: width, end: width }[this.textAlign];
  const angle = this.getTransform().b;
  const end = a * x + e - left + width;
  const picture = this.canvas.closest("figure").id;
  if (!angle) window.written.push({ picture, text, left: end - width, right: end, y: Math.round(d * y + f) });
  return write.apply(this, arguments);
};
"""

OVERVIEW = re.compile("/wolkvox/overview")
STATES = ("coded", "rejected", "failed", "invalid")


def speak(page: Page, language: str) -> None:
    """Choose the language as Airflow's own UI keeps it."""
    page.add_init_script(f"localStorage.setItem('i18nextLng', '{language}')")


def search(page: Any, customer: str) -> None:
    """Look for a customer; ``page`` may be a frame."""
    page.locator("#customer-id").fill(customer)
    page.locator("#search button").click()
    page.locator("#found h3").wait_for()


def metadata(airflow: Airflow, statement: str) -> list[tuple[Any, ...]]:
    """Rows of Airflow's own database."""
    with psycopg.connect(airflow.stack.uri(databases(demo=True)["airflow"])) as connection:
        return connection.execute(statement.encode()).fetchall()


def audited(airflow: Airflow) -> list[tuple[Any, ...]]:
    """What the page noted in Airflow's audit log, the latest first."""
    return metadata(airflow, "SELECT event, owner, extra FROM log WHERE event LIKE 'wolkvox%' ORDER BY id DESC")


def test_from_the_navigation_to_a_records_log(page: Page, airflow: Airflow) -> None:
    page.goto(airflow.url)
    page.get_by_role("link", name="Wolkvox").first.click()
    frame = page.frame_locator("iframe")
    ledger = dict(airflow.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY 1"))
    assert ledger == {"coded": 251, "rejected": 2, "invalid": 1}

    expect(frame.locator("#tiles")).to_contain_text(f"Coded today{ledger['coded']}")
    expect(frame.locator("#tiles")).to_contain_text("2 by wolkvox, 1 invalid")
    calls = airflow.rows("SELECT calls, call_limit FROM wolkvox.quota")[0]
    expect(frame.locator("#tiles")).to_contain_text(f"Calls today{calls[0]:,} of {calls[1]:,}")
    expect(frame.locator("#tiles")).to_contain_text("No backlog")
    expect(frame.locator("#slots")).to_contain_text("Slot 1: free")
    expect(frame.locator("#slots")).to_contain_text("Slot 2: free")

    for line in frame.locator("#campaigns tbody tr").all():
        name, waiting, *counts = line.locator("td").all_inner_texts()[:6]
        kind, _, campaign = name.partition(" ")
        found = dict(
            airflow.rows(
                "SELECT state, count(*) FROM wolkvox.codification"
                " WHERE type_campaign = %s AND campaign_id = %s GROUP BY 1",
                kind,
                campaign,
            )
        )
        assert dict(zip(STATES, map(int, counts), strict=True)) == {state: found.get(state, 0) for state in STATES}
        assert waiting == "0"
    for chart in ("hours-records", "days-records"):
        lines = [line.locator("td").all_text_contents() for line in frame.locator(f"#{chart} tbody tr").all()[:2]]
        sums = [sum(map(int, column)) for column in list(zip(*lines, strict=True))[1:]]
        assert sums == [251, 3, 0, 0]  # an hour or a day may have ended since

    frame.get_by_role("link", name="preview 15501").click()
    expect(frame.locator("#rows tbody tr")).to_have_count(100)
    frame.get_by_role("button", name="Show older ones").click()
    expect(frame.locator("#rows tbody tr")).to_have_count(200)
    first = frame.locator("#rows tbody tr").first
    assert first.locator("td").first.inner_text() == "•••249"
    chunk = first.locator("a[data-airflow]").inner_text()

    first.locator("a[data-airflow]").click()
    page.wait_for_url("**/tasks/codify/mapped/*")
    number = int(chunk.removeprefix("chunk "))
    assert unquote(page.url).endswith(f"runs/{airflow.run_id}/tasks/codify/mapped/{number - 1}")
    expect(page.get_by_text("records done").last).to_be_visible(timeout=30_000)
    expect(page.get_by_text(f"chunk {number} · ").first).to_be_visible()


def test_a_reason_opens_its_records_with_the_vendors_words_as_text(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#reasons").get_by_role("link", name="refused_422").click()
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    expect(page.locator("#rows")).to_contain_text("<img src=x onerror=")
    assert page.locator("#rows img").count() == 0
    expect(page).to_have_title("Wolkvox")
    assert "90000000002" not in page.content()
    page.get_by_role("link", name="Show whole customer ids").click()
    expect(page.locator("#rows")).to_contain_text("90000000002")
    event, owner, extra = audited(airflow)[0]
    assert (event, owner) == ("wolkvox_whole_ids", "admin")
    assert json.loads(extra)["reason"] == ["refused_422"]


def test_the_csv_holds_the_rows_in_view_and_no_formula(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/plugin/wolkvox/wolkvox/?campaign_id=15502&full=true")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#rows tbody tr")).to_have_count(3)
    with page.expect_download() as download:
        frame.get_by_role("link", name="Download as CSV").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["customer_id"] for line in lines] == ["90000000002", "90000000001", "'=1+1"]
    assert {line["state"] for line in lines} == {"rejected", "coded"}
    assert "comment" not in lines[0]


def test_a_run_has_its_own_tab_and_its_codify_task_a_link_to_its_rows(page: Page, airflow: Airflow) -> None:
    run = quote(airflow.run_id, safe="")
    page.goto(f"{airflow.url}/dags/wolkvox_codify/runs/{run}")
    page.locator("a[href$='/wolkvox-run']").click()
    expect(page.frame_locator("iframe").locator("#records-title")).to_contain_text(airflow.run_id)
    path = f"/dags/wolkvox_codify/dagRuns/{run}/taskInstances/codify/links?map_index=0"
    (link,) = airflow.api().get(path)["extra_links"].values()
    page.goto(link)
    frame = page.frame_locator("iframe")
    expect(frame.locator("#records-title")).to_have_text(f"Records of run {airflow.run_id}, chunk 1")
    expect(frame.locator("#rows tbody tr").first).to_contain_text("chunk 1")


def test_it_refreshes_by_itself(page: Page, airflow: Airflow) -> None:
    page.clock.install()
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#tiles").wait_for()
    with page.expect_response(OVERVIEW):
        page.clock.run_for(15_000)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": 503, "json": {"problem": "The ledger can't be reached."}}, "The ledger can't be reached."),
        ({"status": 401, "json": {"detail": "Token Expired"}}, "Your login has ended"),
        ({"status": 403, "json": {"detail": "Forbidden"}}, "Your login may not read this."),
    ],
)
def test_it_says_plainly_why_there_are_no_figures(
    page: Page, airflow: Airflow, answer: dict[str, object], said: str
) -> None:
    page.route(OVERVIEW, lambda route: route.fulfill(**answer))
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.get_by_role("alert")).to_contain_text(said)
    expect(page.locator("#overview")).to_be_hidden()


def test_it_says_when_there_is_nothing_yet(page: Page, airflow: Airflow) -> None:
    figures = page.request.get(f"{airflow.url}/wolkvox/overview").json()
    page.route(OVERVIEW, lambda route: route.fulfill(json={**figures, "empty": True}))
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#nothing")).to_contain_text("Nothing yet")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("query", "complete"),
    [("", "#campaigns tbody tr"), ("?campaign_id=15502", "#rows tbody tr"), ("?view=runs", "#history-runs tbody tr")],
)
@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_everybody_can_use_it(
    page: Page, airflow: Airflow, language: str, scheme: str, query: str, complete: str, width: int
) -> None:
    speak(page, language)
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{airflow.url}/wolkvox/{query}")
    page.locator(complete).first.wait_for()
    search(page, SCRIPTED)
    assert page.locator("html").get_attribute("lang") == language
    violations = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in violations if violation["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(BROKEN_WORDS) == []


def test_the_trigger_form_has_pickers_and_refuses_bad_input(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/dags/wolkvox_codify")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    expect(form.get_by_text("Select date and time")).to_have_count(2)
    hours, _minutes, limit = form.locator("input[role=spinbutton]").all()[:3]
    for field, typed, kept in ((hours, "9999", "720"), (limit, "0", "1")):
        field.fill(typed)
        field.blur()
        expect(field).to_have_value(kept)
    form.locator("input[name=element_resend]").fill("Not A Reason!")
    form.get_by_role("button", name="Trigger").last.click()
    expect(form).to_contain_text("Invalid input for param resend")


# --- one customer


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
        page.goto(f"{airflow.url}/wolkvox/")
        page.locator("#campaigns tbody tr").first.wait_for()
        search(page, "90000000077")
        page.get_by_role("button", name="Send this customer now").click()
        expect(page.locator("#sent")).to_contain_text("sends this customer")
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
        for database in ("warehouse", "ledger"):
            table = {"warehouse": "contacted_customers", "ledger": "wolkvox.codification"}[database]
            with psycopg.connect(airflow.stack.uri(databases(demo=True)[database])) as connection:
                connection.execute(f"DELETE FROM {table} WHERE campaign_id = '15503'".encode())


# --- is it alive


def test_a_paused_dag_is_said_in_red_and_a_running_one_in_green(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#alive")).to_have_class("good")
    expect(page.locator("#alive")).to_contain_text("It works: the last run ended")
    airflow.api().send("PATCH", f"/dags/{DAG}?update_mask=is_paused", {"is_paused": True})
    try:
        time.sleep(3.5)  # what was read is shown to others for three seconds
        page.reload()
        expect(page.locator("#alive")).to_have_class("bad")
        expect(page.locator("#alive")).to_contain_text("Nothing comes in: the DAG wolkvox_codify is paused.")
    finally:
        airflow.api().send("PATCH", f"/dags/{DAG}?update_mask=is_paused", {"is_paused": False})
        time.sleep(3.5)


# --- language and clock


def test_it_follows_airflows_language_and_clock_while_it_is_open(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/plugin/wolkvox")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#runs-title")).to_have_text("Last runs")
    page.evaluate("localStorage.setItem('i18nextLng', 'es')")
    expect(frame.locator("#runs-title")).to_have_text("Últimas ejecuciones")
    expect(frame.locator("#alive")).to_contain_text("Funciona: la última ejecución terminó hace")
    expect(frame.locator("#operation")).to_contain_text("los días son los de America/Bogota")
    page.evaluate("localStorage.setItem('timezone', JSON.stringify('Asia/Tokyo'))")
    expect(frame.locator("#updated")).to_contain_text("Asia/Tokyo")


def test_without_airflows_choice_the_browsers_language_counts(
    browser: Browser, logged_in: Any, airflow: Airflow
) -> None:
    for locale, title in (("es-CO", "Últimas ejecuciones"), ("fr-FR", "Last runs")):
        context = browser.new_context(storage_state={"cookies": logged_in["cookies"], "origins": []}, locale=locale)
        page = context.new_page()
        page.goto(f"{airflow.url}/wolkvox/")
        expect(page.locator("#runs-title")).to_have_text(title)
        context.close()


# --- charts and tables


@pytest.mark.parametrize("width", [390, 768, 1024, 1440, 1920])
@pytest.mark.parametrize("language", ["en", "es"])
def test_no_two_labels_of_a_chart_touch(page: Page, airflow: Airflow, language: str, width: int) -> None:
    speak(page, language)
    page.add_init_script(WATCH_CANVAS)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#days-lag canvas").wait_for()
    written = page.evaluate("window.written")
    assert len({one["picture"] for one in written}) == 4
    for one in written:
        for other in written:
            if one["picture"] == other["picture"] and one["y"] == other["y"] and one["left"] < other["left"]:
                assert one["right"] < other["left"], (one, other)


def test_pointing_at_a_chart_tells_its_values(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    plot = page.locator("#days-records .u-over")
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 20)
    expect(page.locator("#days-records .pointed")).to_contain_text("coded 251")


def test_a_table_is_sorted_by_its_headings_and_adds_up(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    table = page.locator("#campaigns")
    names = table.locator("tbody td:first-child")
    expect(names.first).to_have_text("preview 15501")
    table.get_by_role("button", name="rejected").click()
    expect(names.first).to_have_text("predictive 15502")
    expect(table.locator("th[aria-sort=descending]")).to_have_text("rejected")
    page.reload()
    expect(names.first).to_have_text("predictive 15502")
    table.get_by_role("button", name="rejected").click()
    expect(names.last).to_have_text("predictive 15502")
    assert table.locator("tfoot").inner_text().split() == ["total", "0", "251", "2", "0", "1", "0", "0"]


def test_filters_and_days_are_in_the_address(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/?campaign_id=15502")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    page.locator("#filter [name=state]").select_option("rejected")
    page.locator("#filter button[type=submit]").click()
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    assert "state=rejected" in page.url
    page.locator("#filter [name=until]").fill("2026-01-01")
    page.locator("#filter button[type=submit]").click()
    expect(page.locator("#none")).to_be_visible()
    assert "until=2026-01-01" in page.url
    page.go_back()
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#days [name=until]").fill("2026-01-01")
    page.locator("#days button[type=submit]").click()
    expect(page.locator("#campaigns-title")).to_contain_text("Jan 1, 2026")
    expect(page.locator("#campaigns tbody tr")).to_have_count(0)


def test_a_refresh_keeps_the_focus_and_what_is_selected(page: Page, airflow: Airflow) -> None:
    page.clock.install()
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#runs tbody tr").first.wait_for()
    page.locator("#campaigns a").first.focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#runs tbody td'))")
    chosen = page.evaluate("String(getSelection())")
    assert chosen.startswith("manual__")
    with page.expect_response(OVERVIEW):
        page.clock.run_for(15_000)
    expect(page.locator("#campaigns a").first).to_be_focused()
    assert page.evaluate("String(getSelection())") == chosen


def test_the_history_of_runs_opens_each_runs_rows(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.get_by_role("link", name="All runs").click()
    line = page.locator("#history-runs tbody tr", has_text=airflow.run_id)
    expect(line).to_contain_text("green")
    line.get_by_role("link", name=airflow.run_id).click()
    expect(page.locator("#records-title")).to_contain_text(airflow.run_id)
    expect(page.locator("#rows tbody tr")).to_have_count(100)


def test_on_paper_there_are_no_forms(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    page.emulate_media(media="print")
    for hidden in ("#search", "#days", "#print"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#campaigns")).to_be_visible()


@pytest.mark.parametrize(("language", "separator"), [("es", ";"), ("en", ",")])
def test_a_file_for_excel_keeps_ids_as_text(page: Page, airflow: Airflow, language: str, separator: str) -> None:
    speak(page, language)
    page.goto(f"{airflow.url}/wolkvox/?campaign_id=15502&full=true")
    page.locator("#rows tbody tr").first.wait_for()
    with page.expect_download() as download:
        page.locator("#excel").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file, delimiter=separator))
    assert [line["customer_id"] for line in lines] == [f'="{SCRIPTED}"', f'="{REFUSED}"', "'=1+1"]


# --- the tabs


def test_a_tab_on_another_dag_says_that_nothing_belongs_to_it(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/dags/wolkvox_retention/plugin/wolkvox-dag")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#foreign")).to_contain_text("The DAG wolkvox_retention sends nothing to wolkvox")
    expect(frame.locator("#overview")).to_be_hidden()
    frame.get_by_role("link", name="All figures of the operation").click()
    expect(frame.locator("#tiles")).to_contain_text("Coded today")


def test_what_is_open_in_a_tab_survives_a_reload(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/dags/{DAG}/plugin/wolkvox-dag")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#of-tab")).to_contain_text("The runs are those of the DAG wolkvox_codify")
    frame.get_by_role("link", name="refused_422").click()
    expect(frame.locator("#rows tbody tr")).to_have_count(2)
    page.reload()
    expect(frame.locator("#rows tbody tr")).to_have_count(2)
    assert "reason=refused_422" in page.url


def test_whoever_is_logged_out_is_led_to_the_login_and_back(browser: Browser, airflow: Airflow) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{airflow.url}/wolkvox/?campaign_id=15502")
    page.fill("input[name=username]", LOGIN)
    page.fill("input[name=password]", airflow.stack.secrets.password)
    page.click("button[type=submit]")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    context.close()
