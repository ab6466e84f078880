"""A report as a PDF to read and to print."""

from __future__ import annotations

from wolkvox.page.report import Report
from wolkvox.page.report_chart import draw
from wolkvox.page.sheet import BOLD, Sheet

WIDTH = 760  # points
PICTURE = 126  # points, the height of a chart beside another one


def as_pdf(report: Report) -> bytes:
    """The report on as many pages as it takes."""
    sheet = Sheet(report.title, report.title)
    sheet.line(report.title, BOLD, 14)
    for name, value in report.heading:
        sheet.row((name, value), (160, WIDTH - 160))
    sheet.line("")
    for tile in report.tiles:
        sheet.row(tile, (240, 120, WIDTH - 360))
    sheet.line("")
    halves = (WIDTH / 2, WIDTH / 2)
    sheet.row([one.title for one in report.pictures], halves)
    sheet.pictures([draw(one.chart) for one in report.pictures], halves, PICTURE)
    sheet.legends([one.legend for one in report.pictures], halves)
    for table in report.tables:
        sheet.table(table.title, table.heads, [WIDTH * share / 100 for share in table.shares])
        for row in table.rows or [[report.nothing, *[""] * (len(table.heads) - 1)]]:
            sheet.row(row)
    return sheet.done()
