"""A report as a mail: HTML with its charts in it, the same as plain text, and the PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.message import EmailMessage
from html import escape

from wolkvox.page.report import Picture, Report, Table, Tile
from wolkvox.page.report_chart import HEIGHT, WIDTH, draw

ON_SCREEN = WIDTH // 2, HEIGHT // 2  # pixels of a chart on a screen
# Mail programs read no style sheets: each element has its own style.
BODY = "margin:0;padding:16px;background:#ffffff;color:#101828;font:14px/1.5 Arial,Helvetica,sans-serif"
TITLE, HEADING = "font-size:20px;margin:0 0 8px", "font-size:16px;margin:24px 0 8px"
CELL = "padding:4px 12px 4px 0;border-bottom:1px solid #d9dde3;text-align:left;vertical-align:top"
SOFT = "color:#4a5361"


def as_mail(report: Report, pdf: bytes, name: str) -> EmailMessage:
    """
    The message, without sender and recipient.

    :param name: of the attached file
    """
    message = EmailMessage()
    message["Subject"] = report.subject
    message.set_content("\n".join(_lines(report)))
    message.add_alternative(_html(report), subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    assert isinstance(html, EmailMessage)
    for picture in report.pictures:
        png = draw(picture.chart)
        html.add_related(png, "image", "png", cid=f"<{picture.name}>", filename=f"{picture.name}.png")
    message.add_attachment(pdf, maintype="application", subtype="pdf", filename=name)
    return message


def _lines(report: Report) -> Iterator[str]:
    """The mail as plain text."""
    yield report.title
    yield from (f"{name}: {value}" for name, value in report.heading)
    yield ""
    for tile in report.tiles:
        yield f"{tile.title}: {tile.value}" + (f" ({tile.note})" if tile.note else "")
    for table in report.tables:
        yield from ("", table.title)
        yield from (" | ".join(row) for row in (table.heads, *table.rows) if table.rows)
        if not table.rows:
            yield report.nothing
    yield from ("", report.attached)


def _html(report: Report) -> str:
    """The mail as a page."""
    heading = " · ".join(f"{escape(name)}: {escape(value)}" for name, value in report.heading)
    parts = [
        f'<h1 style="{TITLE}">{escape(report.title)}</h1>',
        f'<p style="{SOFT}">{heading}</p>',
        _table("".join(map(_tile, report.tiles))),
        *map(_picture, report.pictures),
        *(_section(table, report.nothing) for table in report.tables),
        f'<p style="{SOFT}">{escape(report.attached)}</p>',
    ]
    head = f'<meta charset="utf-8"><title>{escape(report.title)}</title>'
    body = "\n".join(parts)
    return f'<!doctype html><html lang="{report.language}"><head>{head}</head><body style="{BODY}">{body}</body></html>'


def _tile(tile: Tile) -> str:
    return _row([escape(tile.title), f"<strong>{escape(tile.value)}</strong>", escape(tile.note)])


def _picture(picture: Picture) -> str:
    legend = " &nbsp; ".join(
        f'<span style="color:{colour}">&#9632;</span> {escape(text)}' for colour, text in picture.legend
    )
    width, height = ON_SCREEN
    return (
        f'<h2 style="{HEADING}">{escape(picture.title)}</h2><p style="{SOFT};margin:0">{legend}</p>'
        f'<img src="cid:{picture.name}" width="{width}" height="{height}" alt="{escape(picture.title)}">'
    )


def _section(table: Table, nothing: str) -> str:
    heading = f'<h2 style="{HEADING}">{escape(table.title)}</h2>'
    if not table.rows:
        return f"{heading}<p>{escape(nothing)}</p>"
    rows = [_row(map(escape, table.heads), "th"), *(_row(map(escape, row)) for row in table.rows)]
    return heading + _table("".join(rows))


def _table(rows: str) -> str:
    return f'<table cellspacing="0" style="border-collapse:collapse">{rows}</table>'


def _row(cells: Iterable[str], tag: str = "td") -> str:
    """A row of what is HTML already."""
    return "<tr>" + "".join(f'<{tag} style="{CELL}">{cell}</{tag}>' for cell in cells) + "</tr>"
