"""The first screen answers in a browser: is it well, how late are we, what must be done now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from page_reader import OVERVIEW, speak
from playwright.sync_api import expect

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)

SETTING = {"problem": "A connection is missing or incomplete.", "key": "setting", "detail": "The conn_id isn't defined"}


def figures(page: Page, airflow: Airflow) -> dict[str, Any]:
    answer: dict[str, Any] = page.request.get(f"{airflow.url}/wolkvox/overview").json()
    return answer


def test_large_tiles_have_a_sparkline_and_are_compared(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#tiles .large")).to_have_count(4)
    expect(page.locator("#tiles .small")).to_have_count(4)
    lag = page.locator("#tiles .large").first
    expect(lag).to_contain_text("From contact to wolkvox, last hour")
    expect(lag).to_contain_text("yesterday at this hour")
    expect(page.locator("#tiles .large").nth(1)).to_contain_text("Within 6 min, last hour")
    expect(page.locator("#service-campaigns tbody tr")).to_have_count(2)
    expect(page.locator("#service-all")).to_contain_text("of 251 contacts")


@pytest.mark.parametrize(
    ("language", "said", "what"),
    [
        ("en", "Contacts reach wolkvox late; the target is 6 min.", "What to do now"),
        ("es", "Los contactos llegan tarde a wolkvox; la meta es 6 min.", "Qué hacer ahora"),
    ],
)
def test_a_lag_of_hours_is_never_called_well(page: Page, airflow: Airflow, language: str, said: str, what: str) -> None:
    shown = figures(page, airflow)
    lag = {"name": "lag", "level": "bad", "since": shown["now"], "p50": 132_960, "p95": 168_960, "target": 360}
    shown["health"] |= {"level": "bad", "findings": [lag]}
    page.route(OVERVIEW, lambda route: route.fulfill(json=shown))
    speak(page, language)
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#health")).to_have_class("bad")
    expect(page.locator("#health-sentence")).to_have_text(said)
    expect(page.locator("#todo-title")).to_have_text(what)
    expect(page.locator("#todo li")).to_contain_text("36 h 56 min")


def test_while_the_ledger_is_away_nothing_is_called_well_and_figures_are_dimmed(page: Page, airflow: Airflow) -> None:
    page.clock.install()
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#health")).to_have_class("well")
    page.route(OVERVIEW, lambda route: route.fulfill(status=503, json={"key": "away"}))
    with page.expect_response(OVERVIEW):
        page.clock.run_for(20_000)
    expect(page.locator("#health")).to_have_class("unknown")
    expect(page.locator("#health-sentence")).to_contain_text("Nobody knows how it is since ")
    expect(page.locator("#problem")).to_contain_text("Tell data engineering")
    assert float(page.locator("#overview").evaluate("one => getComputedStyle(one).opacity")) < 0.6
    page.unroute(OVERVIEW)
    with page.expect_response(OVERVIEW):
        page.clock.run_for(31_000)  # more would be too long for an answer
    expect(page.locator("#health")).to_have_class("well")
    assert page.locator("#overview").evaluate("one => getComputedStyle(one).opacity") == "1"


@pytest.mark.parametrize(
    ("language", "title", "yours", "others"),
    [
        ("en", "First steps", "Do these steps in this order", "tell whoever administers Airflow"),
        ("es", "Primeros pasos", "Haga estos pasos en este orden", "avise a quien administra Airflow"),
    ],
)
def test_where_nothing_is_configured_the_first_steps_are_shown(
    page: Page, airflow: Airflow, language: str, title: str, yours: str, others: str
) -> None:
    speak(page, language)
    page.route(OVERVIEW, lambda route: route.fulfill(status=503, json=SETTING))
    steps = page.request.get(f"{airflow.url}/wolkvox/setup").json()
    steps["steps"][0]["done"] = False
    page.route("**/wolkvox/setup*", lambda route: route.fulfill(json=steps))
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#setup-title")).to_have_text(title)
    expect(page.locator("#setup-who")).to_contain_text(yours)
    expect(page.locator("#setup-steps li")).to_have_count(7)
    expect(page.locator("#setup-steps .open")).to_have_count(1)
    expect(page.locator("#setup-steps .done")).to_have_count(3)
    expect(page.locator("#setup-steps a")).to_have_attribute("href", "../connections")
    expect(page.locator("#customer")).to_be_hidden()
    expect(page.locator("body")).not_to_contain_text("conn_id")
    expect(page.locator("#loading")).to_be_hidden()
    steps["may_connect"] = False
    page.reload()
    expect(page.locator("#setup-who")).to_contain_text(others)
    expect(page.locator("#setup-steps li")).to_have_count(0)


def test_a_long_name_of_a_campaign_pushes_no_figure_out_of_sight(page: Page, airflow: Airflow) -> None:
    shown = figures(page, airflow)
    name = "Recuperación de clientes Banco de los Alpes - cartera 90 días, segmento B, oleada 3 (noviembre)"
    for row in shown["impact"]["campaigns"]:
        row["name"] = name
    page.route(OVERVIEW, lambda route: route.fulfill(json=shown))
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{airflow.url}/wolkvox/")
    last = page.locator("#impact tbody tr").first.locator("td").last
    box = last.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 1366


def test_the_first_column_stays_in_sight_on_a_phone(page: Page, airflow: Airflow) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{airflow.url}/wolkvox/")
    page.locator("#campaigns tbody tr").first.wait_for()
    table = page.locator("#campaigns-section .scroll")
    table.evaluate("one => { one.scrollLeft = one.scrollWidth; }")
    box, frame = page.locator("#campaigns tbody td").first.bounding_box(), table.bounding_box()
    assert box is not None
    assert frame is not None
    assert box["x"] == pytest.approx(frame["x"], abs=1)
    assert table.evaluate("one => one.scrollLeft") > 50


def test_a_tile_keeps_its_value_in_one_line(page: Page, airflow: Airflow) -> None:
    for width in (390, 768, 1300, 1366, 1920):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"{airflow.url}/wolkvox/")
        page.locator("#tiles .large").first.wait_for()
        over = page.evaluate(
            "[...document.querySelectorAll('#tiles dd:first-of-type')].filter(one => one.scrollWidth > one.clientWidth)"
            ".map(one => one.textContent)"
        )
        assert over == [], width


def test_skeletons_stand_where_tiles_will_be_until_the_figures_come(page: Page, airflow: Airflow) -> None:
    held: list[Any] = []
    page.route(OVERVIEW, lambda route: held.append(route))
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#loading div")).to_have_count(8)
    expect(page.locator("#loading")).to_be_visible()
    while not held:
        page.wait_for_timeout(50)
    held[0].continue_()
    expect(page.locator("#loading")).to_be_hidden()
    expect(page.locator("#tiles .large")).to_have_count(4)
