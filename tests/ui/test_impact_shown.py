"""The impact of the codification on the page: by campaign, by day, by lag, and the dials that should not have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from page_reader import speak
from playwright.sync_api import expect

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Impact of the codification"), ("es", "Impacto de la codificación")]
)
def test_the_impact_by_campaign_and_day_with_the_lags_sensitivity(
    page: Page, airflow: Airflow, language: str, title: str
) -> None:
    speak(page, language)
    page.goto(f"{airflow.url}/wolkvox/")
    expect(page.locator("#impact-title")).to_contain_text(title)
    expect(page.locator("#impact tbody tr")).to_have_count(2)
    expect(page.locator("#impact tbody tr").first.locator("td")).to_have_text(
        ["preview 15501", "240", "161", "12", "2"]
    )
    expect(page.locator("#impact tfoot td")).to_have_text(["360", "241", "18", "3"])
    page.locator("#impact-section summary").click()
    expect(page.locator("#impact-days tbody tr")).to_have_count(2)
    fewer = page.locator("#sensitivity td.number")
    expect(fewer).to_have_text(["15", "12", "9", "6", "6", "3", "0", "0", "0", "0", "0"])


def test_dials_that_should_not_have_been_lead_to_their_records(page: Page, airflow: Airflow) -> None:
    page.goto(f"{airflow.url}/wolkvox/")
    problems = page.locator("#reasons tbody tr", has_text="dialled")
    expect(problems).to_have_count(2)
    problems.get_by_role("link", name="The customer had been codified, and was dialled all the same.").click()
    expect(page.locator("#records-title")).to_contain_text("dialled: although codified")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    expect(page.locator("#rows tbody tr")).to_contain_text("•••007")
    expect(page.locator("#rows thead")).to_contain_text("dialled")
    expect(page.locator("#rows thead")).to_contain_text("cause")
    page.locator("#rows").get_by_role("button", name="•••007").click()
    expect(page.locator("#found h3")).to_contain_text("Customer •••007")
    expect(page.locator("#found .events li").nth(1)).to_contain_text("after a run had pulled that period")
    assert "10000000007" not in page.content()
    page.goto(f"{airflow.url}/wolkvox/?dialled=before&campaign_id=15501")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.goto(f"{airflow.url}/wolkvox/?dialled=quota")
    expect(page.locator("#none")).to_be_visible()
