"""The page in a real browser, inside the real Airflow, after a real run."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from airflow_server import SCRIPTED
from axe_playwright_python.sync_playwright import Axe
from page_reader import BROKEN_WORDS, OVERVIEW, audited, search, speak
from playwright.sync_api import expect

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import BrowserContext, Page, Route

pytest_plugins = ("airflow_server",)

STATES = ("coded", "rejected", "failed", "invalid")


def test_from_the_navigation_to_a_records_log(page: Page, airflow: Airflow) -> None:
    page.goto(airflow.url)
    page.get_by_role("link", name="Wolkvox").first.click()
    frame = page.frame_locator("iframe")
    ledger = dict(airflow.rows("SELECT state, count(*) FROM wolkvox.codification GROUP BY 1"))
    assert ledger == {"coded": 251, "rejected": 2, "invalid": 1}

    expect(frame.locator("#tiles")).to_contain_text(f"Coded today{ledger['coded']}")
    expect(frame.locator("#tiles")).to_contain_text("2 rejected by wolkvox, 1 invalid")
    requests = airflow.rows("SELECT requests, request_limit FROM wolkvox.quota")[0]
    expect(frame.locator("#tiles")).to_contain_text(f"Requests today{requests[0]:,} of {requests[1]:,}")
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
        assert sums == [251, 3, 0]  # an hour or a day may have ended since

    frame.locator("#campaigns").get_by_role("link", name="preview 15501").click()
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
    page.locator("#reasons").get_by_role("link", name="wolkvox rejected it; its message says why.").click()
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
    assert [line["customer"] for line in lines] == ["90000000002", "90000000001", "'=1+1"]
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


SPOKEN = """
window.spoken = [];
const places = document.querySelectorAll('[role=status], [role=alert], [aria-live]:not([aria-live=off])');
for (const place of places) {
  const note = () => window.spoken.push(`${place.id}: ${place.textContent}`);
  new MutationObserver(note).observe(place, { childList: true, characterData: true, subtree: true });
}
"""


def test_a_screen_reader_is_told_what_changes_and_nothing_else(page: Page, airflow: Airflow) -> None:
    page.clock.install()
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#tiles").wait_for()
    before = page.locator("#health-times").inner_text()
    page.evaluate(SPOKEN)
    for _ in range(3):
        with page.expect_response(OVERVIEW):
            page.clock.run_for(20_000)
        page.wait_for_timeout(300)
    expect(page.locator("#health-times")).not_to_have_text(before)
    assert page.evaluate("window.spoken") == []
    figures = page.request.get(f"{airflow.url}/wolkvox/overview").json()
    uncounted = {"name": "uncounted", "level": "look", "since": figures["now"]}
    figures["health"] |= {"level": "look", "findings": [uncounted]}
    page.route(OVERVIEW, lambda route: route.fulfill(json=figures))
    for _ in range(2):
        with page.expect_response(OVERVIEW):
            page.clock.run_for(20_000)
        expect(page.locator("#health")).to_have_class("look")
    (spoken,) = page.evaluate("window.spoken")
    assert spoken.startswith("health-sentence: Needs attention: Nobody can count the warehouse, as the run of ")


def test_while_nothing_answers_it_asks_less_and_less_often_and_says_so_once(page: Page, airflow: Airflow) -> None:
    page.clock.install()
    page.route(OVERVIEW, lambda route: route.fulfill(status=503, json={"key": "away"}))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if OVERVIEW.search(request.url) else None)
    with page.expect_response(OVERVIEW):
        page.goto(f"{airflow.url}/wolkvox/")
    expect(page.get_by_role("alert")).to_contain_text("The ledger can't be reached.")
    page.evaluate(SPOKEN)
    for seconds in (30, 60, 120):
        before = len(asked)
        page.clock.run_for((seconds - 5) * 1_000)
        assert len(asked) == before
        with page.expect_response(OVERVIEW):
            page.clock.run_for(10_000)
        page.wait_for_timeout(300)
    assert page.evaluate("window.spoken") == []


def test_a_slow_answer_is_waited_for_rather_than_asked_for_again(page: Page, airflow: Airflow) -> None:
    page.clock.install()
    page.add_init_script("AbortSignal.timeout = () => new AbortController().signal;")  # however slow this machine is
    held: list[Route] = []
    page.route(OVERVIEW, lambda route: held.append(route))
    page.goto(f"{airflow.url}/wolkvox/")
    while not held:
        page.wait_for_timeout(50)
    for _ in range(3):
        page.clock.fast_forward(15_000)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("#tiles")).to_contain_text("Coded today251")


def test_the_next_visit_asks_for_figures_only(context: BrowserContext, page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#tiles").wait_for()
    again = context.new_page()
    again.goto(f"{airflow.url}/wolkvox/")
    again.locator("#tiles").wait_for()
    sizes = again.evaluate(
        "performance.getEntriesByType('resource').map(({ name, transferSize }) => [name, transferSize])"
    )
    files = {name: size for name, size in sizes if "/static/" in name}
    assert len(files) > 30
    assert [name for name, size in files.items() if size] == []


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
@pytest.mark.parametrize("width", [1920, 1366, 390])
def test_everybody_can_use_it(
    page: Page, airflow: Airflow, language: str, scheme: str, query: str, complete: str, width: int
) -> None:
    speak(page, language)
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{airflow.url}/wolkvox/{query}")
    page.locator(complete).first.wait_for()
    if not query:
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
