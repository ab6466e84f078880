"""Whether all is alive, in whose language and on whose clock, and where in Airflow the page is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from local.settings import LOGIN
from local.stack import DAG

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Browser, Page, Route

pytest_plugins = ("airflow_server",)


def test_a_paused_dag_is_bad_and_a_running_one_is_well(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#health")).to_have_class("well")
    expect(page.locator("#todo-section")).to_be_hidden()
    expect(page.locator("#health")).to_contain_text("It works. The last run ended")
    airflow.api().send("PATCH", f"/dags/{DAG}?update_mask=is_paused", {"is_paused": True})
    try:
        time.sleep(3.5)  # what was read is shown to others for three seconds
        page.reload()
        expect(page.locator("#health")).to_have_class("bad")
        expect(page.locator("#health")).to_contain_text("Nothing comes in: the DAG wolkvox_codify is paused.")
        todo = page.locator("#todo li.bad")
        expect(todo).to_contain_text("Since ")
        todo.get_by_role("link", name="Resume it in Airflow").click()
        page.wait_for_url(f"**/dags/{DAG}")
    finally:
        airflow.api().send("PATCH", f"/dags/{DAG}?update_mask=is_paused", {"is_paused": False})
        time.sleep(3.5)


def test_it_follows_airflows_language_and_clock_while_it_is_open(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/plugin/wolkvox")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#runs-title")).to_have_text("Last runs")
    page.evaluate("localStorage.setItem('i18nextLng', 'es')")
    expect(frame.locator("#runs-title")).to_have_text("Últimas ejecuciones")
    expect(frame.locator("#health")).to_contain_text("Funciona. La última ejecución terminó hace")
    expect(frame.locator("#operation")).to_contain_text("los días son los de America/Bogota")
    page.evaluate("localStorage.setItem('timezone', JSON.stringify('Asia/Tokyo'))")
    expect(frame.locator("#updated")).to_contain_text("Asia/Tokyo")


def test_what_is_asked_for_while_another_languages_words_are_still_to_come_is_shown(
    page: Page, airflow: Airflow
) -> None:
    page.goto(f"{airflow.url}/plugin/wolkvox")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#runs-title")).to_have_text("Last runs")
    held: list[Route] = []
    page.route("**/dictionary.es.json", lambda route: held.append(route))
    page.evaluate("localStorage.setItem('i18nextLng', 'es')")
    while not held:  # until its words are asked for
        page.wait_for_timeout(50)
    with page.expect_response("**/wolkvox/overview*"):
        page.frames[-1].evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    expect(frame.locator("#updated")).to_contain_text("As of")
    held[0].continue_()
    expect(frame.locator("#runs-title")).to_have_text("Últimas ejecuciones")


def test_without_airflows_choice_the_browsers_language_counts(
    browser: Browser, logged_in: Any, airflow: Airflow
) -> None:
    for locale, title in (("es-CO", "Últimas ejecuciones"), ("fr-FR", "Last runs")):
        context = browser.new_context(storage_state={"cookies": logged_in["cookies"], "origins": []}, locale=locale)
        page = context.new_page()
        page.goto(f"{airflow.url}/wolkvox/")
        expect(page.locator("#runs-title")).to_have_text(title)
        context.close()


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
    frame.get_by_role("link", name="wolkvox rejected it; its message says why.").click()
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
