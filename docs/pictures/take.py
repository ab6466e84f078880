"""``PYTHONPATH=include python docs/pictures/take.py``: run the demo and photograph it. Needs Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from playwright.sync_api import Browser, sync_playwright

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
        demo.set_sandbox(stack)
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
            _take(browser, login, f"{address(stack)}/wolkvox/", "phone", "#campaigns tbody", viewport=PHONE)
            demo.watch(stack, api, run_id)
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


def _take(browser: Browser, login: Any, url: str, name: str, complete: str, **options: Any) -> None:
    """Photograph a page once ``complete`` is in it and nothing moves any more."""
    context = browser.new_context(storage_state=login, timezone_id="America/Bogota", **options)
    page = context.new_page()
    page.goto(url)
    framed, _, selector = complete.rpartition(" >> ")
    (page.frame_locator(framed) if framed else page).locator(selector).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(FOLDER / f"{name}.png"))
    context.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
