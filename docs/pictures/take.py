"""``PYTHONPATH=include python docs/pictures/take.py``: run the demo and photograph it. Needs Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

from local import demo
from local.settings import LOGIN, databases
from local.stack import address, airflow_api, start, stop

if TYPE_CHECKING:
    from local.settings import Stack

FOLDER = Path(__file__).parent
SETTLED = 10_500  # records after which the page is photographed, while both slots are at work
DESKTOP, PHONE = {"width": 1440, "height": 1640}, {"width": 390, "height": 1500}


def main() -> None:
    """Take all pictures."""
    root = Path(tempfile.mkdtemp(prefix="wolkvox-pictures-"))
    ports = {name: str(_free_port()) for name in ("AIRFLOW_PORT", "SANDBOX_PORT")}
    try:
        stack = start(root, {"PATH": os.environ["PATH"], **ports}, demo=True)
        window = demo.seed(stack)
        demo.set_sandbox(stack, window[0])
        api = airflow_api(stack)
        run_id = demo.trigger(api, *window)
        _wait_for_records(stack)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            login = _log_in(browser, stack)
            page = f"{address(stack)}/plugin/wolkvox/wolkvox/"
            _take(browser, login, page, "desktop", "iframe >> #campaigns tbody", viewport=DESKTOP)
            _take(browser, login, page, "dark", "iframe >> #campaigns tbody", viewport=DESKTOP, color_scheme="dark")
            bare = f"{address(stack)}/wolkvox/"
            _take(browser, login, bare, "phone", "#campaigns tbody", language="es", viewport=PHONE, locale="es-CO")
            customer = partial(_search, _sent_twice(stack))
            _take(
                browser,
                login,
                bare,
                "customer",
                "#campaigns tbody",
                language="es",
                act=customer,
                of="#customer",
                viewport={"width": 1024, "height": 900},
                locale="es-CO",
            )
            demo.watch(stack, api, run_id)
            demo.dial(stack, demo.LATER)
            demo.audit(api)
            wide = {"width": 1180, "height": 900}
            _take(browser, login, bare, "impact", "#impact tbody", of="#impact-section", viewport=wide)
            grid = f"{address(stack)}/dags/wolkvox_codify/runs/{run_id}"
            _take(browser, login, grid, "grid", "text=verdict", viewport={"width": 1440, "height": 760})
            browser.close()
    finally:
        stop(root)
        shutil.rmtree(root, ignore_errors=True)


def _wait_for_records(stack: Stack) -> None:
    with psycopg.connect(stack.uri(databases(demo=True)["ledger"]), autocommit=True) as ledger:
        while True:
            row = ledger.execute("SELECT count(*) FROM wolkvox.codification WHERE state = 'coded'").fetchone()
            if row and row[0] >= SETTLED:
                return
            time.sleep(1)


def _log_in(browser: Browser, stack: Stack) -> Any:
    page = browser.new_page()
    page.goto(f"{address(stack)}/")
    page.fill("input[name=username]", LOGIN)
    page.fill("input[name=password]", stack.secrets.password)
    page.click("button[type=submit]")
    page.get_by_role("link", name="Wolkvox").first.wait_for()
    return page.context.storage_state()


def _sent_twice(stack: Stack) -> str:
    """Return a customer whose first request went wrong."""
    with psycopg.connect(stack.uri(databases(demo=True)["ledger"])) as ledger:
        row = ledger.execute(
            "SELECT customer_id FROM wolkvox.codification WHERE state = 'coded'"
            " ORDER BY (SELECT count(*) FROM wolkvox.answer WHERE codification_id = codification.id) DESC LIMIT 1"
        ).fetchone()
        assert row is not None
        return str(row[0])


def _search(customer: str, page: Page) -> None:
    page.fill("#customer-id", customer)
    page.click("#search button")
    page.locator(".events").first.wait_for()


def _take(
    browser: Browser,
    login: Any,
    url: str,
    name: str,
    complete: str,
    *,
    language: str = "en",
    act: Callable[[Page], None] | None = None,
    of: str | None = None,
    **options: Any,
) -> None:
    """Photograph a page, or the part ``of`` it, once ``complete`` is in it and nothing moves any more."""
    context = browser.new_context(storage_state=login, timezone_id="America/Bogota", **options)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('i18nextLng', '{language}')")
    page.goto(url)
    framed, _, selector = complete.rpartition(" >> ")
    (page.frame_locator(framed) if framed else page).locator(selector).first.wait_for()
    if act:
        act(page)
    page.wait_for_load_state("networkidle")
    path = str(FOLDER / f"{name}.png")
    if of:
        page.locator(of).screenshot(path=path)
    else:
        page.screenshot(path=path)
    context.close()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
