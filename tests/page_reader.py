"""What the browser's tests of the page have in common: the language, the search, and what Airflow's database says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg

from local.settings import databases

if TYPE_CHECKING:
    from airflow_server import Airflow
    from playwright.sync_api import Page

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
