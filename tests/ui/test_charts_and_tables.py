"""Charts, tables and filters of the page: readable at any width, and steady while they refresh."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow_server import REFUSED, SCRIPTED
from debian import program
from openpyxl import load_workbook
from page_reader import OVERVIEW, WATCH_CANVAS, speak
from playwright.sync_api import expect

from wolkvox.page.dictionary import dictionary

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)


@pytest.mark.parametrize("width", [390, 768, 1024, 1440, 1920])
@pytest.mark.parametrize("language", ["en", "es"])
def test_no_two_labels_of_a_chart_touch(page: Page, airflow: Airflow, language: str, width: int) -> None:
    speak(page, language)
    page.add_init_script(WATCH_CANVAS)
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#days-lag canvas").wait_for()
    written = page.evaluate("window.written")
    assert len({one["picture"] for one in written}) == 6
    for one in written:
        for other in written:
            if one["picture"] == other["picture"] and one["y"] == other["y"] and one["left"] < other["left"]:
                assert one["right"] < other["left"], (one, other)


def test_pointing_at_a_chart_tells_its_values(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    plot = page.locator("#days-records .u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 20)
    expect(page.locator("#days-records .pointed")).to_contain_text("coded 251")
    page.mouse.click(box["x"] + box["width"] - 8, box["y"] + 20)
    expect(page.locator("#records-title")).to_contain_text("Records contacted from ")
    expect(page.locator("#rows tbody tr")).to_have_count(100)


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
    assert table.locator("tfoot").inner_text().split() == ["total", "0", "251", "2", "0", "1", "0", "0", "0"]


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
    expect(line).to_contain_text("successful")
    line.get_by_role("link", name=airflow.run_id).click()
    expect(page.locator("#records-title")).to_contain_text(airflow.run_id)
    expect(page.locator("#rows tbody tr")).to_have_count(100)


def test_on_paper_there_are_no_forms_but_every_heading(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    page.emulate_media(media="print")
    for hidden in ("#search", "#days", "#print", "#customer", "#jump"):
        expect(page.locator(hidden)).to_be_hidden()
    for name in ("campaign", "rejected", "invalid"):
        expect(page.locator("#campaigns thead").get_by_role("button", name=name)).to_be_visible()


def test_the_printed_page_has_headings_in_whole_and_a_total_only_at_the_end(
    page: Page, airflow: Airflow, tmp_path: Path
) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    figures = page.request.get(f"{airflow.url}/wolkvox/overview").json()
    figures["campaigns"] = [{**figures["campaigns"][0], "campaign_id": str(number)} for number in range(120)]
    page.route(OVERVIEW, lambda route: route.fulfill(json=figures))
    page.reload()
    expect(page.locator("#campaigns tbody tr")).to_have_count(120)
    path = tmp_path / "page.pdf"
    page.pdf(path=path)
    told = subprocess.run(
        [program("pdftotext", "poppler-utils"), "-layout", path, "-"], capture_output=True, text=True, check=True
    ).stdout
    heads = next(lines for lines in told.split("\f") if "Campaigns, last 30 days" in lines).split()
    for name in ("campaign", "waiting", "coded", "rejected", "failed", "invalid", "superseded", "expired"):
        assert name in heads, name
    total = f"{120 * figures['campaigns'][0]['coded']:,}"
    assert told.count(total) == 1, "the total stands once, not on each sheet"


@pytest.mark.parametrize(("language", "customer", "state"), [("es", "cliente", "estado"), ("en", "customer", "state")])
def test_a_workbook_is_in_the_readers_language_and_keeps_ids_as_text(
    page: Page, airflow: Airflow, language: str, customer: str, state: str
) -> None:
    speak(page, language)
    page.goto(f"{airflow.url}/wolkvox/?campaign_id=15502&full=true")
    page.locator("#rows tbody tr").first.wait_for()
    with page.expect_download() as download:
        page.locator("#xlsx").click()
    assert download.value.suggested_filename == "wolkvox.xlsx"
    heads, *rows = load_workbook(BytesIO(download.value.path().read_bytes())).worksheets[0].iter_rows(values_only=True)
    lines = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [line[customer] for line in lines] == [SCRIPTED, REFUSED, "=1+1"]
    say = dictionary(language)
    assert [line[state] for line in lines] == [say(f"state.{name}") for name in ("rejected", "rejected", "coded")]
