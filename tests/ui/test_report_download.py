"""The page's report: the days that are chosen, in the language on screen, as a PDF."""

from __future__ import annotations

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import requests
from debian import program
from page_reader import speak

if TYPE_CHECKING:
    from airflow_server import Airflow, Logins
    from playwright.sync_api import Page

pytest_plugins = ("airflow_server",)

TODAY = datetime.now(ZoneInfo("America/Bogota")).date()


def downloaded(page: Page, link: str) -> str:
    """The text of the PDF behind a link."""
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    assert download.value.suggested_filename == "wolkvox-report.pdf"
    reader = program("pdftotext", "poppler-utils")
    return subprocess.run([reader, Path(download.value.path()), "-"], capture_output=True, text=True, check=True).stdout


def test_the_report_is_of_yesterday_until_days_are_chosen(page: Page, airflow: Airflow) -> None:
    speak(page, "en")
    page.goto(f"{airflow.url}/wolkvox/")
    assert f"Report of {TODAY - timedelta(days=1)}" in downloaded(page, "Report of yesterday (PDF)")
    page.goto(f"{airflow.url}/wolkvox/?since={TODAY - timedelta(days=1)}&until={TODAY}")
    text = downloaded(page, "Report of these days (PDF)")
    assert f"Report of {TODAY - timedelta(days=1)} to {TODAY}" in text


def test_the_report_is_in_the_language_on_screen(page: Page, airflow: Airflow) -> None:
    speak(page, "es")
    page.goto(f"{airflow.url}/wolkvox/")
    assert f"Informe del {TODAY - timedelta(days=1)}" in downloaded(page, "Informe de ayer (PDF)")


def test_days_that_are_counted_no_longer_have_no_report(logins: Logins) -> None:
    with logins.session("reader") as reader:
        answer: requests.Response = reader.get(
            f"{logins.url}/wolkvox/report.pdf?since=2020-01-01&until=2020-01-02", timeout=30
        )
    assert (answer.status_code, answer.json()["detail"]) == (404, "A report has days among the last 30 only.")
