"""A report as a download of the page."""

from __future__ import annotations

from io import BytesIO

from wolkvox.page.queries import Dag
from wolkvox.page.reading import Days


def report_file(chosen: Days, language: str, of: Dag) -> BytesIO | None:
    """The PDF, to be sent; None where none of the chosen days is among the last 30."""
    # Two libraries that are large, and seldom needed.
    from wolkvox.page.report import compose
    from wolkvox.page.report_data import read_report
    from wolkvox.page.report_pdf import as_pdf

    data = read_report(chosen, of)
    if data is None:
        return None
    file = BytesIO()
    file.write(as_pdf(compose(data, language)))
    return file
